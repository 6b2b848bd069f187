"""InteractiveSession: the default session from the start, for notebooks and shells."""
from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphc.api.public import public
from graphc.ir.graph import Graph
from graphc.ir.stacks import default_graphs, default_sessions
from graphc.session.session import Session
from graphc.wording import warn

if TYPE_CHECKING:
    from graphc.session.config import ConfigProto


@public("InteractiveSession")
class InteractiveSession(Session):
    """A session that is the default one from the start, without a `with` block; its graph, too, if it is given.

    `tensor.eval()` and `operation.run()` use it until `close()`. As `tf.InteractiveSession`. Raises as gc.Session.

    >>> gc.get_default_session().close()         # one is open here already
    >>> session = gc.InteractiveSession()
    >>> gc.add(1, 2).eval()
    np.int32(3)
    >>> session.close()
    """

    _open: ClassVar[int] = 0

    def __init__(self, target: str = "", graph: Graph | None = None, config: ConfigProto | None = None) -> None:
        super().__init__(target, graph, config)
        if InteractiveSession._open:
            warn("An interactive session is already active. This can cause out-of-memory errors in some "
                 "cases. You must explicitly call `InteractiveSession.close()` to release resources held by "
                 "the other session(s).")
        InteractiveSession._open += 1
        self._owns_graph = graph is not None
        if graph is not None:
            default_graphs.push(graph)
        default_sessions.push(self)

    def close(self) -> None:
        """Frees plans and variables; the session before is the default one again."""
        if not self._closed:
            InteractiveSession._open -= 1
        super().close()
        default_sessions.remove(self)
        if self._owns_graph:
            default_graphs.remove(self._graph)
            self._owns_graph = False
