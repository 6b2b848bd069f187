from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SavedPlan(_message.Message):
    __slots__ = ("format_version", "graph_hash", "signature", "plan")
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    GRAPH_HASH_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    format_version: int
    graph_hash: int
    signature: str
    plan: Plan
    def __init__(self, format_version: _Optional[int] = ..., graph_hash: _Optional[int] = ..., signature: _Optional[str] = ..., plan: _Optional[_Union[Plan, _Mapping]] = ...) -> None: ...

class SavedState(_message.Message):
    __slots__ = ("variables", "runs")
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.RepeatedCompositeFieldContainer[SavedVariable]
    runs: int
    def __init__(self, variables: _Optional[_Iterable[_Union[SavedVariable, _Mapping]]] = ..., runs: _Optional[int] = ...) -> None: ...

class SavedVariable(_message.Message):
    __slots__ = ("name", "dtype", "shape", "value", "key", "part")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: int
    shape: _containers.RepeatedScalarFieldContainer[int]
    value: str
    key: str
    part: str
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[int] = ..., shape: _Optional[_Iterable[int]] = ..., value: _Optional[str] = ..., key: _Optional[str] = ..., part: _Optional[str] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("inputs", "outputs", "bodies", "programs", "constants", "states", "hosts", "origins", "prepare")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    BODIES_FIELD_NUMBER: _ClassVar[int]
    PROGRAMS_FIELD_NUMBER: _ClassVar[int]
    CONSTANTS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    PREPARE_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[Port]
    outputs: _containers.RepeatedCompositeFieldContainer[Port]
    bodies: _containers.RepeatedCompositeFieldContainer[Body]
    programs: _containers.RepeatedCompositeFieldContainer[Program]
    constants: _containers.RepeatedCompositeFieldContainer[Constant]
    states: _containers.RepeatedCompositeFieldContainer[State]
    hosts: _containers.RepeatedScalarFieldContainer[str]
    origins: _containers.RepeatedCompositeFieldContainer[Origin]
    prepare: int
    def __init__(self, inputs: _Optional[_Iterable[_Union[Port, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[Port, _Mapping]]] = ..., bodies: _Optional[_Iterable[_Union[Body, _Mapping]]] = ..., programs: _Optional[_Iterable[_Union[Program, _Mapping]]] = ..., constants: _Optional[_Iterable[_Union[Constant, _Mapping]]] = ..., states: _Optional[_Iterable[_Union[State, _Mapping]]] = ..., hosts: _Optional[_Iterable[str]] = ..., origins: _Optional[_Iterable[_Union[Origin, _Mapping]]] = ..., prepare: _Optional[int] = ...) -> None: ...

class Port(_message.Message):
    __slots__ = ("name", "dtype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: int
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[int] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Constant(_message.Message):
    __slots__ = ("name", "dtype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: int
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[int] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class State(_message.Message):
    __slots__ = ("name", "dtype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: int
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[int] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("op_name", "op_type", "file", "line")
    OP_NAME_FIELD_NUMBER: _ClassVar[int]
    OP_TYPE_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    op_name: str
    op_type: str
    file: str
    line: int
    def __init__(self, op_name: _Optional[str] = ..., op_type: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...

class Body(_message.Message):
    __slots__ = ("name", "dims", "buffers", "inputs", "outputs", "slots", "guards", "steps", "writes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIMS_FIELD_NUMBER: _ClassVar[int]
    BUFFERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    GUARDS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    name: str
    dims: _containers.RepeatedCompositeFieldContainer[Dim]
    buffers: _containers.RepeatedCompositeFieldContainer[Buffer]
    inputs: _containers.RepeatedScalarFieldContainer[int]
    outputs: _containers.RepeatedScalarFieldContainer[int]
    slots: _containers.RepeatedCompositeFieldContainer[Slot]
    guards: _containers.RepeatedCompositeFieldContainer[Guard]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    writes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dims: _Optional[_Iterable[_Union[Dim, _Mapping]]] = ..., buffers: _Optional[_Iterable[_Union[Buffer, _Mapping]]] = ..., inputs: _Optional[_Iterable[int]] = ..., outputs: _Optional[_Iterable[int]] = ..., slots: _Optional[_Iterable[_Union[Slot, _Mapping]]] = ..., guards: _Optional[_Iterable[_Union[Guard, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., writes: _Optional[_Iterable[int]] = ...) -> None: ...

class Dim(_message.Message):
    __slots__ = ("kind", "operands", "value")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CONST: _ClassVar[Dim.Kind]
        INPUT: _ClassVar[Dim.Kind]
        RUNTIME: _ClassVar[Dim.Kind]
        ADD: _ClassVar[Dim.Kind]
        SUB: _ClassVar[Dim.Kind]
        MUL: _ClassVar[Dim.Kind]
        FLOORDIV: _ClassVar[Dim.Kind]
        MOD: _ClassVar[Dim.Kind]
        MIN: _ClassVar[Dim.Kind]
        MAX: _ClassVar[Dim.Kind]
        EQUAL: _ClassVar[Dim.Kind]
        LESS: _ClassVar[Dim.Kind]
        SELECT: _ClassVar[Dim.Kind]
        BROADCAST: _ClassVar[Dim.Kind]
    CONST: Dim.Kind
    INPUT: Dim.Kind
    RUNTIME: Dim.Kind
    ADD: Dim.Kind
    SUB: Dim.Kind
    MUL: Dim.Kind
    FLOORDIV: Dim.Kind
    MOD: Dim.Kind
    MIN: Dim.Kind
    MAX: Dim.Kind
    EQUAL: Dim.Kind
    LESS: Dim.Kind
    SELECT: Dim.Kind
    BROADCAST: Dim.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: Dim.Kind
    operands: _containers.RepeatedScalarFieldContainer[int]
    value: int
    def __init__(self, kind: _Optional[_Union[Dim.Kind, str]] = ..., operands: _Optional[_Iterable[int]] = ..., value: _Optional[int] = ...) -> None: ...

class Buffer(_message.Message):
    __slots__ = ("kind", "dtype", "dims", "index")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        INPUT: _ClassVar[Buffer.Kind]
        OUTPUT: _ClassVar[Buffer.Kind]
        CONST: _ClassVar[Buffer.Kind]
        STATE: _ClassVar[Buffer.Kind]
        STATE_INFO: _ClassVar[Buffer.Kind]
        PREPARED: _ClassVar[Buffer.Kind]
        ARENA: _ClassVar[Buffer.Kind]
        ALIAS: _ClassVar[Buffer.Kind]
        COUNTER: _ClassVar[Buffer.Kind]
        CARRIED: _ClassVar[Buffer.Kind]
    INPUT: Buffer.Kind
    OUTPUT: Buffer.Kind
    CONST: Buffer.Kind
    STATE: Buffer.Kind
    STATE_INFO: Buffer.Kind
    PREPARED: Buffer.Kind
    ARENA: Buffer.Kind
    ALIAS: Buffer.Kind
    COUNTER: Buffer.Kind
    CARRIED: Buffer.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    DIMS_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    kind: Buffer.Kind
    dtype: int
    dims: _containers.RepeatedScalarFieldContainer[int]
    index: int
    def __init__(self, kind: _Optional[_Union[Buffer.Kind, str]] = ..., dtype: _Optional[int] = ..., dims: _Optional[_Iterable[int]] = ..., index: _Optional[int] = ...) -> None: ...

class Slot(_message.Message):
    __slots__ = ("dtype", "rank")
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    dtype: int
    rank: int
    def __init__(self, dtype: _Optional[int] = ..., rank: _Optional[int] = ...) -> None: ...

class SlotBind(_message.Message):
    __slots__ = ("slot", "axis", "dim")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    AXIS_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    slot: int
    axis: int
    dim: int
    def __init__(self, slot: _Optional[int] = ..., axis: _Optional[int] = ..., dim: _Optional[int] = ...) -> None: ...

class Guard(_message.Message):
    __slots__ = ("kind", "a", "b", "origin", "message")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EQUAL: _ClassVar[Guard.Kind]
        LESS_EQUAL: _ClassVar[Guard.Kind]
        LESS: _ClassVar[Guard.Kind]
    EQUAL: Guard.Kind
    LESS_EQUAL: Guard.Kind
    LESS: Guard.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_NUMBER: _ClassVar[int]
    B_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: Guard.Kind
    a: int
    b: int
    origin: int
    message: str
    def __init__(self, kind: _Optional[_Union[Guard.Kind, str]] = ..., a: _Optional[int] = ..., b: _Optional[int] = ..., origin: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("buffer", "offset", "strides")
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    STRIDES_FIELD_NUMBER: _ClassVar[int]
    buffer: int
    offset: int
    strides: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, buffer: _Optional[int] = ..., offset: _Optional[int] = ..., strides: _Optional[_Iterable[int]] = ...) -> None: ...

class Instr(_message.Message):
    __slots__ = ("op", "dtype", "args", "real", "integer")
    OP_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    REAL_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    op: str
    dtype: int
    args: _containers.RepeatedScalarFieldContainer[int]
    real: float
    integer: int
    def __init__(self, op: _Optional[str] = ..., dtype: _Optional[int] = ..., args: _Optional[_Iterable[int]] = ..., real: _Optional[float] = ..., integer: _Optional[int] = ...) -> None: ...

class Program(_message.Message):
    __slots__ = ("loads", "instrs", "stores")
    LOADS_FIELD_NUMBER: _ClassVar[int]
    INSTRS_FIELD_NUMBER: _ClassVar[int]
    STORES_FIELD_NUMBER: _ClassVar[int]
    loads: _containers.RepeatedScalarFieldContainer[int]
    instrs: _containers.RepeatedCompositeFieldContainer[Instr]
    stores: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, loads: _Optional[_Iterable[int]] = ..., instrs: _Optional[_Iterable[_Union[Instr, _Mapping]]] = ..., stores: _Optional[_Iterable[int]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("map", "call", "bind", "take", "host", "push", "pop", "length", "list", "origins")
    MAP_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    BIND_FIELD_NUMBER: _ClassVar[int]
    TAKE_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    WHILE_FIELD_NUMBER: _ClassVar[int]
    IF_FIELD_NUMBER: _ClassVar[int]
    PUSH_FIELD_NUMBER: _ClassVar[int]
    POP_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    map: Map
    call: Call
    bind: Bind
    take: Take
    host: Host
    push: Push
    pop: Pop
    length: Length
    list: List
    origins: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, map: _Optional[_Union[Map, _Mapping]] = ..., call: _Optional[_Union[Call, _Mapping]] = ..., bind: _Optional[_Union[Bind, _Mapping]] = ..., take: _Optional[_Union[Take, _Mapping]] = ..., host: _Optional[_Union[Host, _Mapping]] = ..., push: _Optional[_Union[Push, _Mapping]] = ..., pop: _Optional[_Union[Pop, _Mapping]] = ..., length: _Optional[_Union[Length, _Mapping]] = ..., list: _Optional[_Union[List, _Mapping]] = ..., origins: _Optional[_Iterable[int]] = ..., **kwargs) -> None: ...

class Map(_message.Message):
    __slots__ = ("program", "domain", "reduced", "loads", "stores")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    REDUCED_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    STORES_FIELD_NUMBER: _ClassVar[int]
    program: int
    domain: _containers.RepeatedScalarFieldContainer[int]
    reduced: int
    loads: _containers.RepeatedCompositeFieldContainer[Access]
    stores: _containers.RepeatedCompositeFieldContainer[Access]
    def __init__(self, program: _Optional[int] = ..., domain: _Optional[_Iterable[int]] = ..., reduced: _Optional[int] = ..., loads: _Optional[_Iterable[_Union[Access, _Mapping]]] = ..., stores: _Optional[_Iterable[_Union[Access, _Mapping]]] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("kernel", "operands", "dims", "attrs", "epilogue")
    KERNEL_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    DIMS_FIELD_NUMBER: _ClassVar[int]
    ATTRS_FIELD_NUMBER: _ClassVar[int]
    EPILOGUE_FIELD_NUMBER: _ClassVar[int]
    kernel: str
    operands: _containers.RepeatedScalarFieldContainer[int]
    dims: _containers.RepeatedScalarFieldContainer[int]
    attrs: _containers.RepeatedScalarFieldContainer[int]
    epilogue: Map
    def __init__(self, kernel: _Optional[str] = ..., operands: _Optional[_Iterable[int]] = ..., dims: _Optional[_Iterable[int]] = ..., attrs: _Optional[_Iterable[int]] = ..., epilogue: _Optional[_Union[Map, _Mapping]] = ...) -> None: ...

class Bind(_message.Message):
    __slots__ = ("buffer", "dims")
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    DIMS_FIELD_NUMBER: _ClassVar[int]
    buffer: int
    dims: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, buffer: _Optional[int] = ..., dims: _Optional[_Iterable[int]] = ...) -> None: ...

class Take(_message.Message):
    __slots__ = ("slot", "buffer")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    slot: int
    buffer: int
    def __init__(self, slot: _Optional[int] = ..., buffer: _Optional[int] = ...) -> None: ...

class Host(_message.Message):
    __slots__ = ("host", "operands", "slots", "binds")
    HOST_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BINDS_FIELD_NUMBER: _ClassVar[int]
    host: int
    operands: _containers.RepeatedScalarFieldContainer[int]
    slots: _containers.RepeatedScalarFieldContainer[int]
    binds: _containers.RepeatedCompositeFieldContainer[SlotBind]
    def __init__(self, host: _Optional[int] = ..., operands: _Optional[_Iterable[int]] = ..., slots: _Optional[_Iterable[int]] = ..., binds: _Optional[_Iterable[_Union[SlotBind, _Mapping]]] = ...) -> None: ...

class While(_message.Message):
    __slots__ = ("cond", "body", "operands", "carried", "slots", "binds")
    COND_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    CARRIED_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BINDS_FIELD_NUMBER: _ClassVar[int]
    cond: int
    body: int
    operands: _containers.RepeatedScalarFieldContainer[int]
    carried: int
    slots: _containers.RepeatedScalarFieldContainer[int]
    binds: _containers.RepeatedCompositeFieldContainer[SlotBind]
    def __init__(self, cond: _Optional[int] = ..., body: _Optional[int] = ..., operands: _Optional[_Iterable[int]] = ..., carried: _Optional[int] = ..., slots: _Optional[_Iterable[int]] = ..., binds: _Optional[_Iterable[_Union[SlotBind, _Mapping]]] = ...) -> None: ...

class If(_message.Message):
    __slots__ = ("pred", "then", "orelse", "operands", "slots", "binds")
    PRED_FIELD_NUMBER: _ClassVar[int]
    THEN_FIELD_NUMBER: _ClassVar[int]
    ORELSE_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BINDS_FIELD_NUMBER: _ClassVar[int]
    pred: int
    then: int
    orelse: int
    operands: _containers.RepeatedScalarFieldContainer[int]
    slots: _containers.RepeatedScalarFieldContainer[int]
    binds: _containers.RepeatedCompositeFieldContainer[SlotBind]
    def __init__(self, pred: _Optional[int] = ..., then: _Optional[int] = ..., orelse: _Optional[int] = ..., operands: _Optional[_Iterable[int]] = ..., slots: _Optional[_Iterable[int]] = ..., binds: _Optional[_Iterable[_Union[SlotBind, _Mapping]]] = ...) -> None: ...

class Push(_message.Message):
    __slots__ = ("source", "value", "result")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    source: int
    value: int
    result: int
    def __init__(self, source: _Optional[int] = ..., value: _Optional[int] = ..., result: _Optional[int] = ...) -> None: ...

class Pop(_message.Message):
    __slots__ = ("source", "result", "slot", "binds")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    BINDS_FIELD_NUMBER: _ClassVar[int]
    source: int
    result: int
    slot: int
    binds: _containers.RepeatedCompositeFieldContainer[SlotBind]
    def __init__(self, source: _Optional[int] = ..., result: _Optional[int] = ..., slot: _Optional[int] = ..., binds: _Optional[_Iterable[_Union[SlotBind, _Mapping]]] = ...) -> None: ...

class List(_message.Message):
    __slots__ = ("operation", "operands", "slots", "binds")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BINDS_FIELD_NUMBER: _ClassVar[int]
    operation: int
    operands: _containers.RepeatedScalarFieldContainer[int]
    slots: _containers.RepeatedScalarFieldContainer[int]
    binds: _containers.RepeatedCompositeFieldContainer[SlotBind]
    def __init__(self, operation: _Optional[int] = ..., operands: _Optional[_Iterable[int]] = ..., slots: _Optional[_Iterable[int]] = ..., binds: _Optional[_Iterable[_Union[SlotBind, _Mapping]]] = ...) -> None: ...

class Length(_message.Message):
    __slots__ = ("source", "buffer")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    source: int
    buffer: int
    def __init__(self, source: _Optional[int] = ..., buffer: _Optional[int] = ...) -> None: ...
