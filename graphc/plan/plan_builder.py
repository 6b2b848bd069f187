"""PlanBuilder: the tables that all bodies of a Plan share: programs, constants, states, hosts, origins."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir import dtypes
from graphc.ir.host import Host, HostCall, host_name
from graphc.ir.node import Origin
from graphc.ir.spec import Spec
from graphc.ops.control.script import HOSTS
from graphc.plan import plan


class PlanBuilder:
    """Equal entries are kept once. Bodies are numbered when begun, so an outer body comes before its inner ones."""

    def __init__(self) -> None:
        self.bodies: list[plan.Body | None] = []
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.states: dict[str, plan.State] = {}
        self.prepare = -1
        self._programs: dict[tuple[plan.Program, tuple[str, ...]], int] = {}
        self._constant_numbers: dict[tuple[int, str | None], int] = {}
        self._constants: list[plan.Constant] = []
        self._kept: list[np.ndarray[Any, Any]] = []
        self.hosts: dict[str, Callable[..., Any] | None] = {}      # kept, as the registry of functions keeps none
        self._computed: dict[str, HostCall] = {}
        self._hosts: dict[str, int] = {}
        self._origins: dict[Origin, int] = {}

    def begin_body(self) -> int:
        self.bodies.append(None)
        return len(self.bodies) - 1

    def program(self, program: plan.Program) -> int:
        # 0.0 == -0.0, but x * 0.0 is not x * -0.0.
        signs = tuple(str(i.value) for i in program.instrs if i.value == 0)
        return self._programs.setdefault((program, signs), len(self._programs))

    def constant(self, array: np.ndarray[Any, Any], name: str | None = None) -> int:
        """The number of a constant; one array object is one constant. Unnamed ones get a name that no user's op has."""
        key = (id(array), name)
        found = self._constant_numbers.get(key)
        if found is None:
            found = len(self._constants)
            self._kept.append(array)            # keeps the id valid
            title = name if name is not None and name not in self.constants else f"_graphc/constant_{found}"
            self._constants.append(plan.Constant(title, dtypes.as_dtype(array.dtype).short, array.shape))
            self.constants[title] = np.require(array, requirements=["C", "A"])
            self._constant_numbers[key] = found
        return found

    def state(self, name: str, spec: Spec) -> int:
        """The number of a state, by its name."""
        if name not in self.states:
            shape = tuple(s if isinstance(s, int) else -1 for s in spec.shape or ())
            self.states[name] = plan.State(name, spec.dtype.unquantized.short, shape)
        return list(self.states).index(name)

    def host(self, name: str, called: str = "") -> int:
        """The number of the function `name`. called: how the plan names it, if otherwise."""
        called = called or name
        if called not in self.hosts:
            self.hosts[called] = self._computed.get(name) or HOSTS.get(name)
        return self._hosts.setdefault(called, len(self._hosts))

    def computed(self, op: Host) -> str:
        """The name by which `host` knows an op of that kind."""
        name = host_name(op)
        self._computed.setdefault(name, HostCall(op))
        return name

    def origins(self, origins: Sequence[Origin]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self._origins.setdefault(o, len(self._origins)) for o in origins))

    def finish(self, inputs: Sequence[plan.Port], outputs: Sequence[plan.Port]) -> plan.Plan:
        bodies = tuple(b for b in self.bodies if b is not None)
        assert len(bodies) == len(self.bodies), "a body was begun and not finished"
        origins = tuple(plan.Origin(o.op_name, o.op_type, o.file, o.line) for o in self._origins)
        programs = tuple(program for program, _ in self._programs)
        return plan.Plan(tuple(inputs), tuple(outputs), bodies, programs, tuple(self._constants),
                         tuple(self.states.values()), tuple(self._hosts), origins, self.prepare)
