"""What the host does on lists of the device's values (listed.py): its own lists, of vectors.

An element is a vector for the host, sizes and address; its memory is of the run (run_memory.py) and never changes. So
lists are the host's steps as ever, whose operands are vectors, and what concerns elements' sizes is a function of
list_calls.py: rows of a value as elements, elements as rows of a value. What was never written is a vector of zeros: a
branch asks for the address, and only if it is 0 looks at the list's other elements for the sizes, and makes zeros.
"""
from __future__ import annotations

from dataclasses import replace

from graphc.exec.cuda.split.host_body import AS_IT_IS, IS_ZERO, MINUS_ONE, HostBody
from graphc.exec.cuda.split.list_calls import ListUse, Made
from graphc.exec.cuda.split.listed import Elements
from graphc.kernels.layout import ListOperation
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind

_GET = (ListOperation.GET, ListOperation.GET_OR_ZEROS)
_ROWS = (ListOperation.STACK, ListOperation.STACK_OR_ZEROS, ListOperation.GATHER, ListOperation.GATHER_OR_ZEROS)
_PARTS = (ListOperation.UNSTACK, ListOperation.SCATTER, ListOperation.SCATTER_GROWING)
_NOTHING = p.Body("list element", (), (), (), (), (), (), ())


class ListStep:
    """A step on a list in a body of the host. place: its body and number in the whole plan; elements: what the list
    holds."""

    def __init__(self, body: HostBody, place: tuple[int, int], step: p.Step, elements: Elements) -> None:
        self.body, self.place, self.step, self.elements = body, place, step, elements
        self.length = elements.rank + 1                # of an element's vector
        self.origins = step.origins

    def emit(self, given: int) -> int | None:
        """Emits it. given: the vector of the value that goes in, if one does. The vector of what comes out."""
        step = self.step
        if isinstance(step, p.Push):
            self.body.steps.append(replace(step, value=given))
            return None
        if isinstance(step, p.Pop):
            self.body.slots[step.slot] = p.Slot("i64", 1)
            self.body.steps.append(replace(step, binds=()))
            return self._taken(step.slot, self.length)
        assert isinstance(step, p.List)
        return self._list(step, given)

    def _list(self, step: p.List, given: int) -> int | None:
        operation = ListOperation(step.operation)
        if operation in _GET:
            return self._element(step)
        if operation in _ROWS:
            return self._of_all(Made.ROWS, self._matrix(operation, step.operands[:2]), step.operands[2])
        if operation in (ListOperation.CONCAT, ListOperation.CONCAT_OR_ZEROS):
            handle, *lengths, sizes = step.operands
            return self._of_all(Made.JOINED, self._all(handle), sizes, *lengths)
        if operation == ListOperation.LENGTHS:
            self._call(Made.LENGTHS, [self._all(step.operands[0])], step.slots[0], step.binds)
        elif operation in _PARTS:
            self.body.steps.append(replace(step, operands=(*step.operands[:-1], self._parts(Made.PARTS, given))))
        elif operation == ListOperation.SPLIT:
            parts = self._parts(Made.SPLIT, given, step.operands[1])
            self.body.steps.append(replace(step, operation=int(ListOperation.UNSTACK), operands=(parts,)))
        elif operation in (ListOperation.SET, ListOperation.SET_GROWING):
            self.body.steps.append(replace(step, operands=(*step.operands[:-1], given)))
        else:
            self.body.steps.append(step)
        return None

    def _taken(self, slot: int, length: int) -> int:
        vector = self.body.vector(length)
        self.body.steps.append(p.Take(slot, vector, origins=self.origins))
        return vector

    def _call(self, kind: Made, operands: list[int], slot: int, binds: tuple[p.SlotBind, ...] = (),
              body: HostBody | None = None) -> None:
        body = body or self.body
        use = ListUse(len(body.functions), kind, *self.place, self.elements)
        body.call(use, operands, [slot], self.origins, binds)

    # Elements as the rows of a matrix of vectors

    def _matrix(self, operation: ListOperation, operands: tuple[int, ...], body: HostBody | None = None) -> int:
        """The vectors of elements, one below the other. operands: the list, and which elements."""
        body = body or self.body
        sizes = body.store_sizes([body.constant(self.length)], self.origins)
        slot, rows = body.slot("i64", 2), body.runtime_dim()
        body.steps.append(p.List(int(operation), (*operands, sizes), (slot,), (p.SlotBind(slot, 0, rows),),
                                 origins=self.origins))
        return self._matrix_in(slot, rows, body)

    def _matrix_in(self, slot: int, rows: int, body: HostBody) -> int:
        matrix = body.buffer("i64", (rows, body.constant(self.length)))
        body.steps.append(p.Take(slot, matrix, origins=self.origins))
        return matrix

    def _all(self, handle: int, body: HostBody | None = None) -> int:
        """The vectors of all elements, zeros of those that were never written."""
        body = body or self.body
        count = body.buffer("i32", ())
        body.map(MINUS_ONE, None, body.element(count), 1, self.origins)
        return self._matrix(ListOperation.STACK_OR_ZEROS, (handle, count), body)

    def _of_all(self, kind: Made, matrix: int, *said: int) -> int:
        slot = self.body.slot("i64", 1)
        self._call(kind, [matrix, *said], slot)
        return self._taken(slot, self.length + (kind == Made.ROWS))

    def _parts(self, kind: Made, *given: int) -> int:
        """The vectors of a value's rows, or of some rows each."""
        slot, rows = self.body.slot("i64", 2), self.body.runtime_dim()
        self._call(kind, [*given], slot, (p.SlotBind(slot, 0, rows),))
        return self._matrix_in(slot, rows, self.body)

    # One element

    def _element(self, step: p.List) -> int:
        body, (handle, index, said) = self.body, step.operands
        sizes = body.store_sizes([body.constant(self.length)], self.origins)
        slot, pred = body.slot("i64", 1), body.buffer("bool", ())
        body.steps.append(p.List(step.operation, (handle, index, sizes), (slot,), origins=self.origins))
        found = self._taken(slot, self.length)
        body.map(IS_ZERO, body.element(found, self.length - 1), body.element(pred), 1, self.origins)
        first, chosen = len(body.plan.bodies) + len(body.inner), body.slot("i64", 1)
        body.inner += [self._unwritten(), self._written()]
        body.steps.append(p.If(pred, first, first + 1, (found, handle, said, index), (chosen,), origins=self.origins))
        return self._taken(chosen, self.length)

    def _branch(self) -> HostBody:
        """What both branches have: an element's vector, its list, what is said of its sizes, its index; a vector."""
        body = HostBody(self.body.plan, _NOTHING, self.body.functions, self.body.inner)
        kind = BufferKind.INPUT
        body.inputs = [body.vector(self.length, kind, 0), body.buffer("handle", (), kind, 1),
                       body.vector(self.elements.rank, kind, 2), body.buffer("i32", (), kind, 3)]
        body.outputs = [body.vector(self.length, BufferKind.OUTPUT, 0)]
        return body

    def _unwritten(self) -> p.Body:
        body = self._branch()
        _, handle, said, index = body.inputs
        matrix, slot = self._all(handle, body), body.slot("i64", 1)
        self._call(Made.ZEROS, [matrix, said, index], slot, body=body)
        body.steps.append(p.Take(slot, body.outputs[0], origins=self.origins))
        return body.made()

    def _written(self) -> p.Body:
        body = self._branch()
        body.map(AS_IT_IS, body.element(body.inputs[0]), body.element(body.outputs[0]), self.length, self.origins)
        return body.made()
