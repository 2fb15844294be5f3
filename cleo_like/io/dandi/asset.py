"""One file of a dandiset, and what the archive says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from cleo_like.io.metadata import age_of, sex_of, species_of

_ICEPHYS = ("clamp", "intracellular", "icephys", "patch")


@attrs.frozen(kw_only=True)
class Asset:
    """A file in the archive. Unknown is None.

    Parameters
    ----------
    dandiset, asset_id, blob, path : str
        Where it is; `blob` is what is stored, and the same for the same content.
    size : int
        Bytes.
    url : str
        Where its bytes are.
    sha256 : str, optional
        Digest of the content, in hexadecimal.
    species, taxon, donor, age, sex, session : str, optional
        Of the subject, resolved by rules.
    measured : tuple of str
        variableMeasured of this file.
    licence, citation : str, optional
        Of its dandiset.
    """

    dandiset: str
    asset_id: str
    blob: str
    path: str
    size: int
    url: str
    sha256: str | None = None
    species: str | None = None
    taxon: str | None = None
    donor: str | None = None
    age: str | None = None
    sex: str | None = None
    session: str | None = None
    measured: tuple[str, ...] = ()
    licence: str | None = None
    citation: str | None = None

    @property
    def may_be_intracellular(self) -> bool:
        """Whether its own metadata name a clamp, or say nothing of what was measured."""
        words = " ".join((*self.measured, self.path)).lower()
        return not self.measured or any(word in words for word in _ICEPHYS)


def asset_of(
    dandiset: str, row: Mapping[str, Any], metadata: Mapping[str, Any], *, url: str,
    licence: str | None, citation: str | None,
) -> Asset:  # fmt: skip
    """Make an asset of what the archive answers; nothing in it is trusted to be there."""
    subject = _first(metadata.get("wasAttributedTo"))
    session = _first(metadata.get("wasGeneratedBy"))
    species = species_of(_named(subject.get("species"), "identifier")) or species_of(
        _named(subject.get("species"), "name")
    )
    digest = metadata.get("digest")
    age = subject.get("age")
    return Asset(
        dandiset=dandiset,
        asset_id=str(row["asset_id"]),
        blob=str(row.get("blob") or row["asset_id"]),
        path=str(row.get("path", metadata.get("path", ""))),
        size=int(row.get("size", metadata.get("contentSize", 0)) or 0),
        url=url,
        sha256=_text(digest.get("dandi:sha2-256")) if isinstance(digest, Mapping) else None,
        species=species.binomial if species is not None else None,
        taxon=species.taxon if species is not None else None,
        donor=_text(subject.get("identifier")),
        age=age_of(age.get("value") if isinstance(age, Mapping) else age),
        sex=sex_of(_named(subject.get("sex"), "name")),
        session=_text(session.get("identifier")),
        measured=tuple(
            str(_named(v, "value") if isinstance(v, Mapping) else v)
            for v in metadata.get("variableMeasured") or ()
        ),
        licence=licence,
        citation=citation,
    )


def _first(value: object) -> Mapping[str, Any]:
    if isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        return value[0]
    return {}


def _named(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else value


def _text(value: object) -> str | None:
    return None if value is None or str(value).strip() == "" else str(value)


def distinct(assets: Iterable[Asset]) -> tuple[list[Asset], dict[str, str]]:
    """Keep one file of each content: copies would be counted, and split, twice.

    Parameters
    ----------
    assets : iterable of Asset
        Of several dandisets; the first of each content stays.

    Returns
    -------
    kept, dropped : list of Asset, dict
        The files that stay; and asset_id of each copy to where its content stays.
    """
    seen: dict[str, Asset] = {}
    kept, dropped = [], {}
    for asset in assets:
        key = asset.sha256 if asset.sha256 is not None else asset.blob
        if key in seen:
            first = seen[key]
            dropped[asset.asset_id] = f"a copy of {first.dandiset}/{first.path}"
        else:
            seen[key] = asset
            kept.append(asset)
    return kept, dropped
