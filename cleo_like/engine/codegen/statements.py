"""Translate what happens in a step into C++ statements, with Brian2's own C++ generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.engine.brian2_internals import refractory_of
from cleo_like.engine.codegen.network import NotCompilableError, recorded
from cleo_like.engine.codegen.source import out_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.engine.codegen.network import GroupPlan, Step
    from cleo_like.engine.codegen.step import Part


def translate(plan: GroupPlan, step: Step, namespace: Mapping[str, Any]) -> Part:
    """Translate one step into C++.

    Raises
    ------
    NotCompilableError
        The code uses something that has no C++ form here.
    """
    from brian2.codegen.codeobject import create_runner_codeobj

    from cleo_like.engine.codegen.cpp_generator import KernelCodeObject

    runner, group = step.runner, plan.group
    outputs: list[str] = []
    if step.kind in {"record", "spikes"}:
        outputs = recorded(step)
        code = "\n".join(f"{out_name(name)} = {name}" for name in outputs)
        needed, user_code, additional = list(outputs), None, None
    else:
        runner.update_abstract_code(run_namespace=namespace)
        if runner.codeobj_class is not None:  # gsl makes one
            msg = f"{runner.name!r} brings generated code of its own"
            raise NotCompilableError(msg)
        code, user_code = runner.abstract_code, runner.user_code
        additional = getattr(runner, "variables", None)
        needed = [n for n in runner.needed_variables if not n.endswith("space")]
    built = create_runner_codeobj(
        group=group,
        code=code,
        user_code=user_code,
        template_name=step.kind,
        run_namespace=namespace,
        check_units=False if outputs else runner.check_units,
        needed_variables=needed,
        additional_variables=additional,
        override_conditional_write=getattr(runner, "override_conditional_write", None),
        codeobj_class=KernelCodeObject,
    )
    part: Part = built.code
    part.kind, part.every, part.outputs = step.kind, step.every, outputs
    part.refractory = step.kind == "threshold" and refractory_of(group) is not False
    return part


def all_parts(plan: GroupPlan, namespace: Mapping[str, Any]) -> list[Part]:
    """Translate all steps that do something."""
    try:
        return [translate(plan, step, namespace) for step in plan.steps if _has_code(step)]
    except NotImplementedError as error:  # Brian2: a function without a C++ form
        raise NotCompilableError(str(error)) from error


def _has_code(step: Step) -> bool:
    """Whether there is anything to do; a state updater without equations has nothing."""
    runner = step.runner
    if type(runner).__name__ == "StateUpdater":
        group = runner.group
        return bool(group.equations.diff_eq_names) or refractory_of(group) is not False
    return step.kind != "reset" or bool(runner.group.event_codes["spike"].strip())
