"""Random Brian2 scripts, drawn from a seed: expressions of every kind, objects of every kind.

`exact` scripts hold only what IEEE 754 fixes (+ - * / sqrt, whole numbers, comparisons, floor and
its relatives), so that answers must be equal bit by bit; `smooth` ones hold exp and its relatives,
whose last place differs between libraries.
"""

import attrs
import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms

# macros, keywords and functions of C, and names that a generated program might use itself
NAMES = (
    "I", "NULL", "M_PI", "errno", "exp2", "y0", "j1", "register_", "auto", "double", "NAN",
    "INFINITY", "pow", "fmod", "stdin", "linux", "unix", "size_t", "cl", "cl_n", "first", "lane",
    "a", "o", "c", "std", "this", "new", "asm", "row", "until", "main", "n_v", "assert_", "log2",
)  # fmt: skip


class Draw:
    """Draws expressions: `number`, `whole` and `truth` give one of their kind."""

    def __init__(self, rng, names, *, exact):
        self.rng, self.names, self.exact = rng, names, exact

    def one(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def number(self, depth=3):
        x, y, p, q = self.names["x"], self.names["y"], self.names["p"], self.names["q"]
        if depth == 0:
            return self.one(x, y, p, q, "shared_p", "t/ms", "sub", "0.3", "2.5", "outside",
                            "one(t)", "two(t, column)", "1.0*i/N")  # fmt: skip
        d = depth - 1
        a, b = self.number(d), self.number(d)
        common = [
            f"({a} + {b})", f"({a} - {b})", f"{a}*{b}", f"{a}/{p}", f"{a}/{q}",
            f"clip({a}, -2, 2)", f"abs({a})", f"(0.3 + {a})**2", f"sqrt(abs({a}))",
            f"{a}/(1 + abs({b}))", f"int({self.truth(d)})*{a}", f"one(t + {self.one(1, 3)}*dt)",
        ]  # fmt: skip
        jumps = [
            f"floor({a}/{q})", f"ceil({a})", f"sign({a})", f"({a}) % {self.one(q, '0.1', 'p3')}",
            f"({a}) // {self.one(p, '0.1', '3')}", f"1.0*clip({self.whole(d)}, -999, 999)", f"floor(i/{q})",
            f"two(t, {self.column(d)})", f"timestep({a}*ms, dt)/7.0", f"clip({self.whole(d)}, -999, 999)/3",
            f"floor((k % 1000)/{q})", f"int(t/dt) % 4 * {p}", f"(0.5 + 1.0*abs({a}))**-1",
        ]  # fmt: skip
        smooth = [
            f"exp(-abs({a}))", f"tanh({a})", f"1/exprel(clip({a}, -3, 3))", f"sin({a})",
            f"cos({a})", f"log(1 + abs({a}))", f"(0.1 + abs({a}))**0.7", f"arctan({a})",
            f"(0.5 + abs({a}))**-1.5", f"clip({a}, -2, 2)**3", f"expm1(-abs({a}))",
            f"sinh(clip({a}, -1, 1))", f"log10(1 + abs({a}))", f"(0.5 + abs({a}))**{p}",
        ]  # fmt: skip
        return self.one(*common, *(jumps if self.exact else smooth))

    def whole(self, depth=2):
        if depth == 0:
            return self.one("i", "k", "column", "N", "3", "m", "wide")
        d = depth - 1
        a, b = self.whole(d), self.whole(d)
        return self.one(
            f"({a} + {b})", f"({a} - {b})", f"{a}*{b}", f"({a} // {self.one('3', '7', 'm', '(column + 1)')})",
            f"({a} % {self.one('5', 'm', '(column + 1)', '(-7)')})", f"int({self.truth(d)})", f"abs({a})",
            f"int(floor({self.number(d)}))", f"{self.one('i', 'k', 'wide')}*100003", f"int({self.number(d)})",
        )  # fmt: skip

    def column(self, depth):
        return f"abs({self.whole(depth)}) % 4"

    def truth(self, depth=2):
        if depth <= 0:
            return self.one("on", f"{self.names['x']} > 0.5", "k > 2", "i % 2 == 0", "not on")
        d = depth - 1
        if not self.exact:
            return self.one("on", "k > 2", "i % 2 == 0", "not on", f"({self.names['p']} > 1)")
        return self.one(
            f"({self.number(d)} > {self.number(d)})", f"({self.truth(d)} and {self.truth(d)})",
            f"(not {self.truth(d)})", f"({self.whole(d)} == {self.whole(d)})",
            f"({self.truth(d)} or {self.truth(d)})", f"({self.number(d)} <= 0.7)",
        )  # fmt: skip


@attrs.frozen(kw_only=True)
class Fuzzed:
    """A script; calling it runs it and gives its network."""

    seed: int
    exact: bool

    def __call__(self):
        rng = np.random.default_rng(self.seed)
        hostile = list(rng.permutation(NAMES)[:4]) if rng.random() < 0.5 else []
        names = dict(zip("xypq", hostile or "xypq", strict=True))
        draw = Draw(rng, names, exact=self.exact)
        n = int(rng.choice([1, 3, 8, 129, 300]))
        refractory = draw.one(
            False, False, 0.7 * ms, "ref", "ref*int(on)", f"{names['x']} > 0.4"
        )
        unless = " (unless refractory)" if refractory is not False else ""
        constant = draw.one("", " (constant over dt)")
        equations = f"""
        d{names["x"]}/dt = (clip({draw.number()}, -3, 3) - {names["x"]})/(2*ms) : 1{unless}
        d{names["y"]}/dt = (clip({draw.number()}, -3, 3) - {names["y"]})/(3*ms) : 1
        sub = clip({Draw(rng, names, exact=self.exact).number(2).replace("sub", "0.1")}, -9, 9) : 1{constant}
        {names["p"]} : 1 (constant)
        {names["q"]} : 1 (constant)
        shared_p : 1 (shared)
        p3 : 1 (constant)
        ref : second (constant)
        k : integer
        wide : integer (constant)
        column : integer (constant)
        on : boolean
        """
        threshold = draw.one(
            f"{names['x']} > 0.6", f"{names['x']} > {names['p']} or {draw.truth()}"
        )
        if not self.exact:
            threshold = f"{names['x']} > 0.6"
        reset = draw.one(f"{names['x']} = 0.1", f"{names['x']} -= {names['q']}; k += 1",
                         f"k = {draw.whole(1)}; {names['y']} *= 0.5", "on = not on")  # fmt: skip
        group = NeuronGroup(
            n, equations, method=draw.one("euler", "rk2", "rk4") if not self.exact else "euler",
            threshold=threshold, reset=reset, refractory=refractory, dt=0.1 * ms,
            dtype={"wide": np.int64},
        )  # fmt: skip
        values = {
            names["x"]: rng.uniform(-1, 1, n), names["y"]: rng.uniform(-1, 1, n),
            names["p"]: rng.choice([0.1, 0.3, 0.7, 3.0, 49.0], n), names["q"]: rng.uniform(0.2, 3, n),
            "p3": rng.choice([0.1, 0.5, -0.3], n), "shared_p": 0.7, "ref": rng.uniform(0, 2e-3, n),
            "k": rng.integers(-3, 9, n), "wide": rng.integers(-5, 2**40, n),
            "column": rng.integers(0, 4, n), "on": rng.random(n) > 0.5,
        }  # fmt: skip
        group.set_states(values, units=False)
        codes = (f"k = {draw.whole()}", f"on = {draw.truth()}", f"{names['y']} = clip({draw.number()}, -5, 5)",
                 f"u_ = {draw.number(2)}; {names['y']} += 0.1*clip(u_, -1, 1)",
                 f"k += {draw.whole(1)}", f"w_ = {draw.whole()}; k = w_ % 1000; on = w_ > 7")  # fmt: skip
        when = (
            "start",
            "before_groups",
            "after_groups",
            "before_thresholds",
            "after_resets",
            "end",
        )
        for code in rng.permutation(codes)[: rng.integers(0, 4)]:
            group.run_regularly(str(code), dt=float(rng.choice([0.1, 0.2, 0.5])) * ms,
                                when=draw.one(*when), order=int(rng.integers(-1, 2)))  # fmt: skip
        record = True if rng.random() < 0.5 else sorted({int(r) for r in rng.integers(0, n, 3)})
        variables = [names["x"], names["y"], "k", "on", "sub"]
        states = StateMonitor(group, variables, record=record, when=draw.one(*when),
                              dt=float(rng.choice([0.1, 0.3])) * ms)  # fmt: skip
        spikes = SpikeMonitor(group, variables=[names["x"], "k", "on"])
        spikes.when = draw.one("after_thresholds", "start", "end")
        network = Network(group, states, spikes)
        space = {
            "one": TimedArray(rng.random(30), dt=float(rng.choice([0.1, 0.25, 0.7])) * ms),
            "two": TimedArray(rng.random((20, 4)), dt=float(rng.choice([0.1, 0.3, 0.5])) * ms),
            "outside": float(rng.uniform(0.5, 2)), "m": int(rng.integers(2, 1000)),
        }  # fmt: skip
        network.run(2.3 * ms, namespace=space)
        if rng.random() < 0.4:
            off = draw.one(group.state_updater, group.thresholder["spike"],
                           group.resetter["spike"], states, spikes)  # fmt: skip
            off.active = False
        network.run(float(rng.choice([0.05, 1.1, 2.0])) * ms, namespace=space)
        if states.active:
            states.record_single_timestep()
        return network


def last_spikes(network):
    """Which neurons fired in the last step, by Brian2's own list."""
    group = next(x for x in network.objects if type(x) is NeuronGroup)
    kept = group.variables["_spikespace"].get_value()
    return np.array(kept[: kept[-1]])
