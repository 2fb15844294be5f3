// names for what the theme leaves to the eye alone
function nameThings() {
  for (const button of document.querySelectorAll(".search-button-field, .version-switcher__button"))
    if (button.textContent.trim()) button.removeAttribute("aria-label");
  for (const summary of document.querySelectorAll("nav summary"))
    summary.setAttribute("aria-label", "Show or hide the pages of this section");
  for (const summary of document.querySelectorAll("details.hide > summary"))
    summary.removeAttribute("aria-label");
  for (const box of document.querySelectorAll(".cell_output, .bd-article p"))
    if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto") box.tabIndex = 0;
  for (const link of document.querySelectorAll(".sphx-glr-thumbcontainer a"))
    link.setAttribute("aria-label", link.textContent.trim());
}
document.addEventListener("DOMContentLoaded", nameThings);
window.addEventListener("load", nameThings);
