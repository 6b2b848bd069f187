"""The rewriter: local rules to a fixpoint.

A Rule looks at one node, whose inputs are rewritten already, and returns None (no change), or the values that replace
its results (a Value or Node for one result, a tuple for several). `rewrite` visits every node once in topological
order and applies the rules to each until none changes it; nodes made by a rule are visited too. After STEP_LIMIT
applications a node the rule is named in an error: two rules undo each other. A rule that says by `asked_of` which
classes of ops it is about is not asked about others: most nodes are no rule's business.

A replacement may know more than what it replaces, never something else: `check_refines` compares the Specs. What a
node requires of sizes is kept: a new node in its place takes its requirements over, and an old one takes its place only
if it requires as much. Sizes that are equal only because they are required to be keep their symbol: what reads the
result was inferred from it (`_with_sizes`).
"""
from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value, make_node, on_equal_inputs
from graphc.ir.op import OPS, Effect, Elementwise, Op
from graphc.ir.spec import Requirement, Spec

Replacement = Node | Value | tuple[Value, ...] | None
Rule = Callable[[Node], Replacement]
RuleT = TypeVar("RuleT", bound=Rule)
STEP_LIMIT = 64


def asked_of(*kinds: type[Op], where: Callable[[Any], object] | None = None) -> Callable[[RuleT], RuleT]:
    """Marks a rule that only changes nodes whose op is of one of these classes, and only `where` that holds of it."""
    def mark(rule: RuleT) -> RuleT:
        rule.is_about = lambda op: issubclass(op, kinds or Op) and (where is None or bool(where(op)))  # type: ignore[attr-defined]
        return rule

    return mark


def _is_about(rule: Rule, op: type[Op]) -> bool:
    return not hasattr(rule, "is_about") or rule.is_about(op)


class Reads:
    """How many nodes and outputs of a flow read a value: for rules that ask. `rewrite` is told of it, so that a value
    that took another one's place counts what read that; what rules make is not counted before a further rewrite."""

    def __init__(self, flow: Flow) -> None:
        self._counts = Counter(value for node in flow.nodes() for value in node.inputs)
        self._counts.update(flow.outputs)

    def __call__(self, value: Value) -> int:
        return self._counts[value]

    def replaced(self, old: Value, new: Value) -> None:
        self._counts[new] += self._counts.pop(old, 0)


def rewrite(flow: Flow, rules: Sequence[Rule], reads: Reads | None = None) -> Flow:
    """`flow` with the rules applied everywhere. reads: of that flow, if a rule asks how often a value is read."""
    rewriter = Rewriter(rules, reads)
    about_any = any(map(rewriter.about, {type(node.op) for node in flow.nodes()}))
    return rewriter.run(flow) if about_any else flow


class Rewriter:
    """One walk over a flow. `new` maps values of the old flow (or made by a rule) to what stands for them now, `nodes`
    nodes; what is not in them stands for itself. moved: the nodes of the values in `new`."""

    def __init__(self, rules: Sequence[Rule], reads: Reads | None = None) -> None:
        self.rules = rules
        self.reads = reads
        self.rules_of: dict[type[Op], list[Rule]] = {}       # those about nodes of each class
        self.new: dict[Value, Value] = {}
        self.nodes: dict[Node, Node] = {}
        self.moved: set[Node] = set()
        self.done: set[Node] = set()
        self.wanted: dict[Value, Spec] = {}      # of results of new nodes, the Specs that they are to have
        self.required: dict[Node, tuple[Requirement, ...]] = {}      # of new nodes, what they take over,
        self.makers: dict[Node, tuple[Node, ...]] = {}               # and what makes the sizes in it known

    def run(self, flow: Flow) -> Flow:
        for node in flow.inputs:
            self.keep(node, node)
        for node in flow.nodes():
            if node not in self.done:
                self._visit(node)
        outputs = tuple(self.new.get(v, v) for v in flow.outputs)
        effects = tuple(dict.fromkeys(self.nodes.get(n, n) for n in flow.effects))
        if outputs == flow.outputs and effects == flow.effects:
            return flow                      # nodes are immutable: the roots are the same, so all is
        return dataclasses.replace(flow, outputs=outputs, effects=effects)

    def _visit(self, node: Node) -> None:
        current = self._with_wanted(node, self._with_new_inputs(node))
        for _ in range(STEP_LIMIT):
            rule, values = self._first_change(current)
            if values is None:
                self.keep(node, current)
                return
            check_refines(rule, current, values)
            values = self._with_sizes(current, values)
            if values and values[0].node not in self.done and values == as_values(values[0].node):
                # A node in place of a node: look at it again.
                self._take_over(current, values[0].node)
                self._settle_inputs(values[0].node)
                current = _merged(self._with_wanted(values[0].node, self._with_new_inputs(values[0].node)), current)
                continue
            if any(v.node is current for v in values):
                self.keep(node, current)         # it stays for some of its results
            for value in values:
                self._take_over(current, value.node)
            for old, value in zip((node.value(i) for i in range(len(node.specs))), values, strict=True):
                self._settle(value.node)
                self._replace(old, self.new.get(value, value))
            self.nodes[node] = self.nodes.get(values[0].node, values[0].node) if values else current
            self.done.add(node)
            return
        raise InternalError(f"the rule {_name(rule)} changed {node} {STEP_LIMIT} times: two rules undo each other")

    def _with_sizes(self, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """The values, under the sizes that node's results have, where a replacement knows others no better."""
        made = []
        for value, spec in zip(values, node.specs, strict=True):
            wanted = better(value.spec, spec)
            if wanted.shape != value.spec.shape:
                if value.node in self.done or not isinstance(value.node.op, Elementwise):
                    value = _reshaped(value, wanted, node)
                else:
                    self.wanted[value] = wanted
            made.append(value)
        return tuple(made)

    def _with_wanted(self, made: Node, current: Node) -> Node:
        """`current`, which stands for `made`, with what it takes over from the node that `made` replaces."""
        if not self.wanted and made not in self.required and made not in self.makers:
            return current
        specs = tuple(self.wanted.get(made.value(i), spec) for i, spec in enumerate(current.specs))
        requirements = tuple(dict.fromkeys((*current.requirements, *self.required.get(made, ()))))
        after = tuple(dict.fromkeys((*current.after, *self.makers.get(made, ()))))
        if specs == current.specs and requirements == current.requirements and after == current.after:
            return current
        return dataclasses.replace(current, specs=specs, requirements=requirements, after=after)

    def _take_over(self, node: Node, made: Node) -> None:
        """`made`, a new node, is to require what `node` does, after what makes the sizes in that known."""
        if not node.requirements or made in self.done:
            return
        self.required[made] = node.requirements
        reached = _behind(made, lambda n: n not in self.done)
        unreached = [v for v in node.inputs if v.node not in reached]
        if unreached:
            mentioned = {a for r in node.requirements for size in (r.a, r.b) for a in dims.atoms(size)}
            mentioned -= {a for n in reached for a in _made_known(n)}
            before = [n for v in unreached for n in _behind(v.node, lambda _: True)] if mentioned else []
            self.makers[made] = tuple(dict.fromkeys(
                n for n in before if not isinstance(n.op, FlowInput)
                and mentioned & (_made_known(n) - {a for v in n.inputs for a in _made_known(v.node)})))

    def _first_change(self, node: Node) -> tuple[Rule | None, tuple[Value, ...] | None]:
        for rule in self.about(type(node.op)):
            made = rule(node)
            if made is not None and self._keeps_requirements(node, as_values(made)):
                return rule, as_values(made)
        return None, None

    def about(self, kind: type[Op]) -> list[Rule]:
        """The rules that are asked about nodes of such an op."""
        found = self.rules_of.get(kind)
        if found is None:
            found = self.rules_of[kind] = [rule for rule in self.rules if _is_about(rule, kind)]
        return found

    def _keeps_requirements(self, node: Node, values: tuple[Value, ...]) -> bool:
        if not node.requirements or not values:
            return True
        if any(v.node not in self.done for v in values):
            return True                      # new nodes require what they need themselves; one takes over: `_merged`
        kept = {(r.relation, r.a, r.b) for v in values for r in v.node.requirements}
        return all((r.relation, r.a, r.b) in kept for r in node.requirements)

    def _settle(self, node: Node) -> None:
        """Visits a node that a rule made, its operands first."""
        stack = [node]
        while stack:
            top = stack[-1]
            if top in self.done:
                stack.pop()
                continue
            waiting = [n for n in (*(v.node for v in top.inputs), *top.after) if n not in self.done]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            self._visit(top)

    def _settle_inputs(self, node: Node) -> None:
        for needed in (*(v.node for v in node.inputs), *node.after):
            self._settle(needed)

    def keep(self, old: Node, new: Node) -> None:
        """`new` stands for `old`, and for itself."""
        self.done.add(old)
        if new in self.moved:
            self.moved.discard(new)
            for i in range(len(new.specs)):
                self.new.pop(new.value(i), None)
        self.nodes.pop(new, None)
        if old is not new:
            self.done.add(new)
            self.nodes[old] = new
            for i in range(len(old.specs)):
                self._replace(old.value(i), new.value(i))

    def _replace(self, old: Value, new: Value) -> None:
        self.new[old] = new
        self.moved.add(old.node)
        if self.reads is not None and new != old:
            self.reads.replaced(old, new)

    def _with_new_inputs(self, node: Node) -> Node:
        moved = self.moved
        for value in node.inputs:
            if value.node in moved:
                inputs = tuple([self.new.get(v, v) for v in node.inputs])
                break
        else:
            inputs = node.inputs
        if not node.after:
            return node if inputs is node.inputs else rebuilt(node, inputs)
        return rebuilt(node, inputs, tuple(dict.fromkeys(self.nodes.get(n, n) for n in node.after)))


def rebuilt(node: Node, inputs: tuple[Value, ...], after: tuple[Node, ...] | None = None) -> Node:
    """The node on other inputs: specs are inferred again only if an input's spec changed, and only become better."""
    after = node.after if after is None else after
    if all(a is b or a == b for a, b in zip(inputs, node.inputs, strict=True)) and after == node.after:
        return node
    if all(a.spec == b.spec for a, b in zip(inputs, node.inputs, strict=True)):
        return on_equal_inputs(node, inputs, after)
    made = make_node(node.op, inputs, node.origins, after)
    specs = tuple(better(new, old) for new, old in zip(made.specs, node.specs, strict=True))
    return dataclasses.replace(made, specs=specs, requirements=node.requirements)


def _reshaped(value: Value, spec: Spec, like: Node) -> Value:
    """value under sizes that like's requirements say are its own."""
    assert spec.shape is not None
    op: Op = OPS.make("Reshape", shape=spec.shape)
    made = make_node(op, (value,), like.origins, like.after)
    return dataclasses.replace(made, specs=(spec,), requirements=like.requirements).value()


def better(new: Spec, old: Spec) -> Spec:
    """The better known sizes of two specs of one value; symbols stay those of `old`."""
    if new.shape is None or old.shape is None:
        return old if new.shape is None else new
    shape = tuple(n if isinstance(n, int) else o for n, o in zip(new.shape, old.shape, strict=True))
    value = old.value if new.value is None else new.value
    return dataclasses.replace(old, shape=shape, value=value)


def as_values(made: Node | Value | tuple[Value, ...]) -> tuple[Value, ...]:
    if isinstance(made, Node):
        return tuple(made.value(i) for i in range(len(made.specs)))
    return (made,) if isinstance(made, Value) else made


def check_refines(rule: Any, node: Node, values: Sequence[Value]) -> None:
    """Raises InternalError if what replaces the node's results contradicts their Specs."""
    if len(values) != len(node.specs):
        raise InternalError(f"the rule {_name(rule)} gives {len(values)} values for the {len(node.specs)} of {node}")
    for i, (value, spec) in enumerate(zip(values, node.specs, strict=True)):
        new = value.spec
        wrong = new.dtype != spec.dtype or (new.shape is None) != (spec.shape is None)
        if not wrong and new.shape is not None and spec.shape is not None:
            wrong = len(new.shape) != len(spec.shape) or any(
                dims.different(a, b) for a, b in zip(new.shape, spec.shape, strict=True))
        if wrong:
            raise InternalError(f"the rule {_name(rule)} contradicts the spec of result {i} of {node}: {spec} became "
                                f"{new}")


def _made_known(node: Node) -> set[dims.Atom]:
    """What is in sizes of the node's results, or read by it as a size."""
    sizes = [*getattr(node.op, "symbols", ()), *(size for spec in node.specs for size in spec.shape or ())]
    return {atom for size in sizes for atom in dims.atoms(size)}


def _behind(node: Node, further: Callable[[Node], bool]) -> dict[Node, None]:
    """The node and what it needs, walking on from those for which `further` holds."""
    reached, waiting = {node: None}, [node]
    while waiting:
        top = waiting.pop()
        if further(top):
            needed = [n for n in (*(v.node for v in top.inputs), *top.after) if n not in reached]
            reached.update(dict.fromkeys(needed))
            waiting += needed
    return reached


def _merged(new: Node, old: Node) -> Node:
    """`new` in place of `old`: it also stands for the user's ops behind old, and comes after what old came after."""
    origins = tuple(dict.fromkeys((*new.origins, *old.origins)))
    requirements = tuple(dict.fromkeys((*new.requirements, *old.requirements)))
    after = new.after if _depends_on_nothing(new) and not requirements else \
        tuple(dict.fromkeys((*new.after, *(n for n in old.after if n is not new))))
    return dataclasses.replace(new, origins=origins, after=after, requirements=requirements)


def _name(rule: Any) -> str:
    return getattr(rule, "__name__", repr(rule))


def _depends_on_nothing(node: Node) -> bool:
    """Whether a node, such as a folded constant, needs no sizes that others bind."""
    static = all(spec.shape is not None and all(isinstance(s, int) for s in spec.shape) for spec in node.specs)
    return not node.inputs and static and node.op.effect == Effect.PURE and not node.op.sizes()
