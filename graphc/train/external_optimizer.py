"""ExternalOptimizerInterface: minimises a loss with an algorithm that lives outside the graph.

The variables are packed into one vector. The algorithm proposes vectors; each is fed in place of the variables, so that
these keep their values until the end, when they get the best ones.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.log import LOG

Evaluate = Callable[[np.ndarray], Any]


@public("contrib.opt.ExternalOptimizerInterface")
class ExternalOptimizerInterface:
    """Base class, as `tf.contrib.opt.ExternalOptimizerInterface`; a subclass writes _minimize.

    loss: a scalar. var_list: the trainable variables by default; their shapes must be known. equalities: scalars to be
    held at zero; inequalities: at zero or above. var_to_bounds: {variable: (low, high)}, each broadcast to the
    variable's shape, None for no bound. optimizer_kwargs: the algorithm's own. Here it raises NotImplementedError.
    minimize raises ValueError without a session.

    >>> class Newton(gc.contrib.opt.ExternalOptimizerInterface):     # one step, for a second derivative of 2
    ...     def _minimize(self, initial_val, loss_grad_func, **others):
    ...         loss, gradient = loss_grad_func(initial_val)
    ...         return initial_val - gradient / 2
    >>> v = gc.Variable([3., 4.])
    >>> optimizer = Newton(gc.reduce_sum((v - 1.) ** 2))
    >>> gc.global_variables_initializer().run()
    >>> optimizer.minimize(gc.get_default_session())
    >>> v.eval()
    array([1., 1.], dtype=float32)
    """

    def __init__(self, loss: Any, var_list: Sequence[Any] | None = None, equalities: Sequence[Any] | None = None,
                 inequalities: Sequence[Any] | None = None, var_to_bounds: Mapping[Any, Any] | None = None,
                 **optimizer_kwargs: Any) -> None:
        self._loss = loss
        self._equalities, self._inequalities = list(equalities or ()), list(inequalities or ())
        self._vars = gc.trainable_variables() if var_list is None else list(var_list)
        self._shapes = [tuple(v.get_shape().as_list()) for v in self._vars]
        self._packed_bounds = None if var_to_bounds is None else self._bounds(var_to_bounds)
        self._update_placeholders = [gc.placeholder(v.dtype) for v in self._vars]
        self._var_updates = [v.assign(gc.reshape(given, shape)) for v, given, shape
                             in zip(self._vars, self._update_placeholders, self._shapes, strict=True)]
        self.optimizer_kwargs = optimizer_kwargs
        gradients = [self._gradients(t) for t in (loss, *self._equalities, *self._inequalities)]
        self._packed_var = self._pack(self._vars)
        packed = [self._pack(g) for g in gradients]
        self._packed_loss_grad = packed[0]
        self._packed_equality_grads = packed[1:1 + len(self._equalities)]
        self._packed_inequality_grads = packed[1 + len(self._equalities):]
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in self._shapes)]).tolist()
        self._packing_slices = [slice(a, b) for a, b in pairwise(ends)]

    def _bounds(self, given: Mapping[Any, Any]) -> list[tuple[float, float]]:
        lows: list[float] = []
        highs: list[float] = []
        for variable, shape in zip(self._vars, self._shapes, strict=True):
            low, high = given.get(variable, (None, None))
            lows += np.broadcast_to(-np.inf if low is None else low, shape).flat
            highs += np.broadcast_to(np.inf if high is None else high, shape).flat
        return list(zip(lows, highs, strict=True))

    def _gradients(self, tensor: Any) -> list[Any]:
        """By every variable; zeros where the tensor does not depend on it."""
        return [gc.zeros_like(v) if g is None else g
                for g, v in zip(gc.gradients(tensor, self._vars), self._vars, strict=True)]

    @classmethod
    def _pack(cls, tensors: Sequence[Any]) -> Any:
        """One vector of all elements."""
        flat = [gc.reshape(t, [-1]) for t in tensors]
        return flat[0] if len(flat) == 1 else gc.concat(flat, 0) if flat else None

    def minimize(self, session: Any = None, feed_dict: Mapping[Any, Any] | None = None,
                 fetches: Sequence[Any] | None = None, step_callback: Callable[[np.ndarray], Any] | None = None,
                 loss_callback: Callable[..., Any] | None = None, **run_kwargs: Any) -> None:
        """Runs the algorithm to its end, and assigns the variables.

        step_callback(vector) is called at each step; loss_callback(*values of fetches) each time the loss is computed.
        run_kwargs go to the run that assigns. Raises ValueError if there is no session.
        """
        session = session or gc.get_default_session()
        if session is None:
            raise ValueError("minimize: there is no session; pass one, or use `with session.as_default():`")
        feeds, wanted = dict(feed_dict or {}), list(fetches or ())

        def functions(tensors: Sequence[Any]) -> list[Evaluate]:
            return [self._function([t], session, feeds, wanted) for t in tensors]

        found = self._minimize(
            initial_val=session.run(self._packed_var),
            loss_grad_func=self._function([self._loss, self._packed_loss_grad], session, feeds, wanted, loss_callback),
            equality_funcs=functions(self._equalities),
            equality_grad_funcs=functions(self._packed_equality_grads),
            inequality_funcs=functions(self._inequalities),
            inequality_grad_funcs=functions(self._packed_inequality_grads),
            packed_bounds=self._packed_bounds, step_callback=step_callback or (lambda vector: None),
            optimizer_kwargs=self.optimizer_kwargs)
        parts = [found[part] for part in self._packing_slices]
        session.run(self._var_updates, feed_dict=dict(zip(self._update_placeholders, parts, strict=True)),
                    **run_kwargs)

    def _function(self, tensors: list[Any], session: Any, feeds: Mapping[Any, Any], fetches: list[Any],
                  callback: Callable[..., Any] | None = None) -> Evaluate:
        """Computes the tensors for a packed vector."""
        def evaluate(vector: np.ndarray) -> list[Any]:
            variables = {v: vector[part].reshape(shape) for v, part, shape
                         in zip(self._vars, self._packing_slices, self._shapes, strict=True)}
            values = session.run([*tensors, *fetches], feed_dict={**variables, **feeds})
            if callback is not None:
                callback(*values[len(tensors):])
            return values[:len(tensors)]  # type: ignore[no-any-return]
        return evaluate

    def _minimize(self, initial_val: np.ndarray, loss_grad_func: Evaluate, equality_funcs: Sequence[Evaluate],
                  equality_grad_funcs: Sequence[Evaluate], inequality_funcs: Sequence[Evaluate],
                  inequality_grad_funcs: Sequence[Evaluate], packed_bounds: Any,
                  step_callback: Callable[[np.ndarray], Any], optimizer_kwargs: Mapping[str, Any]) -> np.ndarray:
        """The best vector. loss_grad_func gives [loss, gradient]; the others give lists of one."""
        raise NotImplementedError("To use ExternalOptimizerInterface, subclass from it and implement the _minimize() "
                                  "method.")


@public("contrib.opt.ScipyOptimizerInterface")
class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimises with scipy.optimize.minimize, as `tf.contrib.opt.ScipyOptimizerInterface`. method="L-BFGS-B",
    options={} and scipy's other arguments are passed on. It needs scipy: pip install graphc[linalg].

    minimize raises ValueError for the argument bounds (var_to_bounds is for them), and for a method that scipy does not
    know, ImportError without scipy.

    >>> v = gc.Variable([3., 4.])
    >>> loss = gc.reduce_sum((v - 1.) ** 2)
    >>> optimizer = gc.contrib.opt.ScipyOptimizerInterface(loss, var_to_bounds={v: ([2., -9.], 9.)}, method="L-BFGS-B")
    >>> gc.global_variables_initializer().run()
    >>> optimizer.minimize(gc.get_default_session())
    >>> v.eval()
    array([2., 1.], dtype=float32)
    """

    _DEFAULT_METHOD = "L-BFGS-B"
    _OURS = ("jac", "callback", "constraints", "bounds")

    def _minimize(self, initial_val: np.ndarray, loss_grad_func: Evaluate, equality_funcs: Sequence[Evaluate],
                  equality_grad_funcs: Sequence[Evaluate], inequality_funcs: Sequence[Evaluate],
                  inequality_grad_funcs: Sequence[Evaluate], packed_bounds: Any,
                  step_callback: Callable[[np.ndarray], Any], optimizer_kwargs: Mapping[str, Any]) -> np.ndarray:
        if "bounds" in optimizer_kwargs:
            raise ValueError("Bounds must be set using the var_to_bounds argument")
        for name in self._OURS:
            if name in optimizer_kwargs:
                raise ValueError(f"Optimizer keyword arg '{name}' is set automatically and cannot be injected manually")
        try:
            import scipy.optimize
        except ImportError:
            raise ImportError("ScipyOptimizerInterface needs scipy: pip install graphc[linalg]") from None

        def loss_and_gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
            loss, gradient = loss_grad_func(vector)
            return float(loss), gradient.astype(np.float64)

        constraints = [{"type": kind, "fun": _first(function), "jac": _first(gradient)}
                       for kind, functions, gradients in (("eq", equality_funcs, equality_grad_funcs),
                                                          ("ineq", inequality_funcs, inequality_grad_funcs))
                       for function, gradient in zip(functions, gradients, strict=True)]
        arguments = {"method": self._DEFAULT_METHOD, **optimizer_kwargs}
        result = scipy.optimize.minimize(loss_and_gradient, initial_val.astype(np.float64), jac=True,
                                         callback=step_callback, constraints=constraints, bounds=packed_bounds,
                                         **arguments)
        told = [("Message", result.message), ("Objective function value", result.fun),
                ("Number of iterations", result.get("nit")), ("Number of functions evaluations", result.get("nfev"))]
        LOG.info("Optimization terminated with:\n%s", "\n".join(f"  {name}: {value}" for name, value in told
                                                                if value is not None))
        return result.x  # type: ignore[no-any-return]


def _first(function: Evaluate) -> Evaluate:
    return lambda vector: np.asarray(function(vector)[0], np.float64)
