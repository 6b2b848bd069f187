from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SideFile(_message.Message):
    __slots__ = ("name", "size", "id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    id: bytes
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., id: _Optional[bytes] = ...) -> None: ...

class SideTensor(_message.Message):
    __slots__ = ("id", "offset", "size")
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    offset: int
    size: int
    def __init__(self, id: _Optional[bytes] = ..., offset: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...
