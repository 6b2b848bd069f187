"""The optimizers in NumPy: each is a class with `dense(var, grad)`, the update of a whole variable, written as the
papers and TensorFlow's documentation have it. A row of a sparse gradient is updated as a variable of its own; only Adam
moves all rows. Imports nothing of graphc: the same numbers were compared with TensorFlow's.
"""
from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def f32(value: float) -> np.float32:
    """Hyperparameters are float32 tensors, whatever the variable's dtype is."""
    return np.float32(value)


class Update:
    """A state of its own for each variable; `slots` are arrays of its shape, by name."""

    initial: dict[str, float] = {}

    def start(self, var: Array) -> None:
        self.slots = {name: np.full_like(var, f32(value)) for name, value in self.initial.items()}
        self.steps = 0

    def step(self, var: Array, grad: Array) -> None:
        self.steps += 1
        self.dense(var, self.slots, grad)

    def sparse(self, var: Array, values: Array, indices: Array) -> None:
        """Each row that is named, once, with the sum of its gradients."""
        self.steps += 1
        for row in dict.fromkeys(indices.tolist()):
            slots = {name: s[row:row + 1] for name, s in self.slots.items()}
            self.dense(var[row:row + 1], slots, values[indices == row].sum(0, keepdims=True))

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        raise NotImplementedError


class GradientDescent(Update):
    def __init__(self, lr: float) -> None:
        self.lr = f32(lr)

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        var -= self.lr * grad


class Momentum(Update):
    initial = {"momentum": 0.0}

    def __init__(self, lr: float, momentum: float, nesterov: bool = False) -> None:
        self.lr, self.momentum, self.nesterov = f32(lr), f32(momentum), nesterov

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        accum = slots["momentum"]
        accum[...] = self.momentum * accum + grad
        var -= self.lr * (grad + self.momentum * accum if self.nesterov else accum)


class Adagrad(Update):
    def __init__(self, lr: float, first: float = 0.1) -> None:
        self.lr, self.initial = f32(lr), {"accumulator": first}

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        slots["accumulator"] += grad * grad
        var -= self.lr * grad / np.sqrt(slots["accumulator"])


def shrunken(x: Array, limit: Any) -> Array:
    return np.sign(x) * np.maximum(np.abs(x) - limit, 0)


class AdagradDA(Update):
    initial = {"gradient_accumulator": 0.0, "gradient_squared_accumulator": 0.1}

    def __init__(self, lr: float, l1: float, l2: float) -> None:
        self.lr, self.l1, self.l2 = f32(lr), f32(l1), f32(l2)

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        total, squares = slots["gradient_accumulator"], slots["gradient_squared_accumulator"]
        total += grad
        squares += grad * grad
        var[...] = -self.lr * shrunken(total, self.l1 * self.steps) / (
            self.l2 * self.steps * self.lr + np.sqrt(squares))


class Adadelta(Update):
    initial = {"accum": 0.0, "accum_update": 0.0}

    def __init__(self, lr: float, rho: float, epsilon: float) -> None:
        self.lr, self.rho, self.epsilon = f32(lr), f32(rho), f32(epsilon)

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        accum, moved = slots["accum"], slots["accum_update"]
        accum[...] = self.rho * accum + (1 - self.rho) * grad * grad
        step = np.sqrt(moved + self.epsilon) / np.sqrt(accum + self.epsilon) * grad
        moved[...] = self.rho * moved + (1 - self.rho) * step * step
        var -= self.lr * step


class Adam(Update):
    """lazy: rows that have no gradient stand still."""

    initial = {"m": 0.0, "v": 0.0}

    def __init__(self, lr: float, beta1: float, beta2: float, epsilon: float, nesterov: bool = False,
                 lazy: bool = False) -> None:
        self.lr, self.beta1, self.beta2, self.epsilon = f32(lr), f32(beta1), f32(beta2), f32(epsilon)
        self.nesterov, self.lazy = nesterov, lazy
        self.power1, self.power2 = self.beta1, self.beta2

    def step(self, var: Array, grad: Array) -> None:
        super().step(var, grad)
        self.power1, self.power2 = self.power1 * self.beta1, self.power2 * self.beta2

    def sparse(self, var: Array, values: Array, indices: Array) -> None:
        if self.lazy:
            super().sparse(var, values, indices)
            self.power1, self.power2 = self.power1 * self.beta1, self.power2 * self.beta2
            return
        whole = np.zeros_like(var)
        np.add.at(whole, indices, values)
        touched = np.isin(np.arange(len(var)), indices)
        before = var.copy()
        self.step(var, whole)
        if self.nesterov:                     # TensorFlow's Nadam moves the moments of all rows, the variable's of some
            var[~touched] = before[~touched]

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        m, v = slots["m"], slots["v"]
        rate = self.lr * np.sqrt(1 - self.power2) / (1 - self.power1)
        m[...] = self.beta1 * m + (1 - self.beta1) * grad
        v[...] = self.beta2 * v + (1 - self.beta2) * grad * grad
        direction = self.beta1 * m + (1 - self.beta1) * grad if self.nesterov else m
        var -= rate * direction / (np.sqrt(v) + self.epsilon)


class Ftrl(Update):
    def __init__(self, lr: float, power: float = -0.5, first: float = 0.1, l1: float = 0.0, l2: float = 0.0,
                 shrinkage: float = 0.0) -> None:
        self.lr, self.power, self.l1, self.l2, self.shrinkage = (f32(x) for x in (lr, power, l1, l2, shrinkage))
        self.initial = {"accum": first, "linear": 0.0}

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        accum, linear = slots["accum"], slots["linear"]
        new = accum + grad * grad
        linear += grad + 2 * self.shrinkage * var - (new ** -self.power - accum ** -self.power) / self.lr * var
        var[...] = -shrunken(linear, self.l1) / (new ** -self.power / self.lr + 2 * self.l2)
        accum[...] = new


class ProximalGradientDescent(Update):
    def __init__(self, lr: float, l1: float, l2: float) -> None:
        self.lr, self.l1, self.l2 = f32(lr), f32(l1), f32(l2)

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        var[...] = shrunken(var - self.lr * grad, self.lr * self.l1) / (1 + self.lr * self.l2)


class ProximalAdagrad(ProximalGradientDescent):
    initial = {"accumulator": 0.1}

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        slots["accumulator"] += grad * grad
        rate = self.lr / np.sqrt(slots["accumulator"])
        var[...] = shrunken(var - rate * grad, rate * self.l1) / (1 + rate * self.l2)


class RMSProp(Update):
    def __init__(self, lr: float, decay: float, momentum: float, epsilon: float, centered: bool = False) -> None:
        self.lr, self.decay, self.momentum, self.epsilon = f32(lr), f32(decay), f32(momentum), f32(epsilon)
        self.centered = centered
        self.initial = {"rms": 1.0, "momentum": 0.0, **({"mg": 0.0} if centered else {})}

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        rms, momentum = slots["rms"], slots["momentum"]
        rms[...] = self.decay * rms + (1 - self.decay) * grad * grad
        below = rms
        if self.centered:
            slots["mg"][...] = self.decay * slots["mg"] + (1 - self.decay) * grad
            below = rms - slots["mg"] ** 2
        momentum[...] = self.momentum * momentum + self.lr * grad / np.sqrt(below + self.epsilon)
        var -= momentum


class PowerSign(Update):
    initial = {"m": 0.0}

    def __init__(self, lr: float, base: float, beta: float) -> None:
        self.lr, self.log, self.beta = f32(lr), f32(np.log(base)), f32(beta)

    def factor(self, agree: Array) -> Array:
        return np.exp(self.log * agree)

    def sparse(self, var: Array, values: Array, indices: Array) -> None:
        """The average moves in all rows."""
        whole = np.zeros_like(var)
        np.add.at(whole, indices, values)
        self.step(var, whole)

    def dense(self, var: Array, slots: dict[str, Array], grad: Array) -> None:
        m = slots["m"]
        m[...] = self.beta * m + (1 - self.beta) * grad
        var -= self.lr * self.factor(np.sign(grad) * np.sign(m)) * grad


class AddSign(PowerSign):
    def __init__(self, lr: float, alpha: float, beta: float) -> None:
        self.lr, self.alpha, self.beta = f32(lr), f32(alpha), f32(beta)

    def factor(self, agree: Array) -> Array:
        return self.alpha + agree


class PlainDecay(Update):
    """Another update, and before it every variable (of a sparse gradient: every row in it) is a little smaller."""

    def __init__(self, decay: float, inner: Update) -> None:
        self.decay, self.inner = f32(decay), inner

    def start(self, var: Array) -> None:
        self.inner.start(var)
        self.slots = self.inner.slots

    def step(self, var: Array, grad: Array) -> None:
        var -= self.decay * var
        self.inner.step(var, grad)

    def sparse(self, var: Array, values: Array, indices: Array) -> None:
        rows = np.unique(indices)
        var[rows] -= self.decay * var[rows]
        self.inner.sparse(var, values, indices)


class Lars(Momentum):
    """A rate by the lengths of the variable and its gradient; momentum over rows for sparse gradients."""

    def __init__(self, lr: float, momentum: float, decay: float, eeta: float) -> None:
        super().__init__(lr, momentum)
        self.decay, self.eeta = f32(decay), f32(eeta)

    def step(self, var: Array, grad: Array) -> None:
        length, slope = np.sqrt((var * var).sum()), np.sqrt((grad * grad).sum())
        rate = self.lr * self.eeta * length / (slope + self.decay * length)
        accum = self.slots["momentum"]
        accum[...] = self.momentum * accum + rate * (grad + self.decay * var)
        var -= accum


# name of the optimizer in tf.train -> (its arguments, the same in NumPy, slots that are not named alike)
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "sgd": ("GradientDescentOptimizer", {"learning_rate": 0.3}, lambda: GradientDescent(0.3)),
    "momentum": ("MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.8}, lambda: Momentum(0.1, 0.8)),
    "nesterov": ("MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.8, "use_nesterov": True},
                 lambda: Momentum(0.1, 0.8, True)),
    "adagrad": ("AdagradOptimizer", {"learning_rate": 0.2, "initial_accumulator_value": 0.3},
                lambda: Adagrad(0.2, 0.3)),
    "adagrad_da": ("AdagradDAOptimizer", {"learning_rate": 0.2, "l1_regularization_strength": 0.01,
                                          "l2_regularization_strength": 0.02}, lambda: AdagradDA(0.2, 0.01, 0.02)),
    "adadelta": ("AdadeltaOptimizer", {"learning_rate": 2.0, "rho": 0.9, "epsilon": 1e-3},
                 lambda: Adadelta(2.0, 0.9, 1e-3)),
    "adam": ("AdamOptimizer", {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.97, "epsilon": 1e-4},
             lambda: Adam(0.1, 0.8, 0.97, 1e-4)),
    "ftrl": ("FtrlOptimizer", {"learning_rate": 0.3, "l1_regularization_strength": 0.02,
                               "l2_regularization_strength": 0.1}, lambda: Ftrl(0.3, l1=0.02, l2=0.1)),
    "ftrl_shrinkage": ("FtrlOptimizer", {
        "learning_rate": 0.3, "learning_rate_power": -0.7, "initial_accumulator_value": 0.2,
        "l1_regularization_strength": 0.02, "l2_shrinkage_regularization_strength": 0.05},
        lambda: Ftrl(0.3, -0.7, 0.2, l1=0.02, shrinkage=0.05)),
    "proximal": ("ProximalGradientDescentOptimizer", {
        "learning_rate": 0.2, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.3},
        lambda: ProximalGradientDescent(0.2, 0.1, 0.3)),
    "proximal_adagrad": ("ProximalAdagradOptimizer", {
        "learning_rate": 0.2, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.3},
        lambda: ProximalAdagrad(0.2, 0.1, 0.3)),
    "rmsprop": ("RMSPropOptimizer", {"learning_rate": 0.1, "decay": 0.8, "momentum": 0.3, "epsilon": 1e-3},
                lambda: RMSProp(0.1, 0.8, 0.3, 1e-3)),
    "rmsprop_centered": ("RMSPropOptimizer", {"learning_rate": 0.1, "decay": 0.8, "momentum": 0.3, "epsilon": 1e-3,
                                              "centered": True}, lambda: RMSProp(0.1, 0.8, 0.3, 1e-3, True)),
}
# The same for tf.contrib.opt.
CONTRIB: dict[str, tuple[str, dict[str, Any], Any]] = {
    "lazy_adam": ("LazyAdamOptimizer", {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.97, "epsilon": 1e-4},
                  lambda: Adam(0.1, 0.8, 0.97, 1e-4, lazy=True)),
    "nadam": ("NadamOptimizer", {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.97, "epsilon": 1e-4},
              lambda: Adam(0.1, 0.8, 0.97, 1e-4, nesterov=True)),
    "adam_w": ("AdamWOptimizer", {"weight_decay": 0.05, "learning_rate": 0.1, "beta1": 0.8, "beta2": 0.97,
                                  "epsilon": 1e-4}, lambda: PlainDecay(0.05, Adam(0.1, 0.8, 0.97, 1e-4))),
    "momentum_w": ("MomentumWOptimizer", {"weight_decay": 0.05, "learning_rate": 0.1, "momentum": 0.8},
                   lambda: PlainDecay(0.05, Momentum(0.1, 0.8))),
    "lars": ("LARSOptimizer", {"learning_rate": 2.0, "momentum": 0.8, "weight_decay": 0.01, "eeta": 0.1},
             lambda: Lars(2.0, 0.8, 0.01, 0.1)),
    "power_sign": ("PowerSignOptimizer", {"learning_rate": 0.1, "base": 2.0, "beta": 0.8},
                   lambda: PowerSign(0.1, 2.0, 0.8)),
    "add_sign": ("AddSignOptimizer", {"learning_rate": 0.1, "alpha": 1.5, "beta": 0.8},
                 lambda: AddSign(0.1, 1.5, 0.8)),
}
STEPS = 5
INDICES = [[1, 3, 1, 4], [0, 0, 0, 0], [4, 1, 3, 3], [2, 4, 2, 0], [1, 1, 4, 1]]


def problem(dtype: Any) -> tuple[Array, Array, Array, Array]:
    """A table (6, 3), of which row 5 never gets a gradient, a vector, and gradients of both for each step."""
    generator = np.random.default_rng(7)
    return (generator.normal(size=(6, 3)).astype(dtype), generator.normal(size=4).astype(dtype),
            generator.normal(size=(STEPS, 4, 3)).astype(dtype), generator.normal(size=(STEPS, 4)).astype(dtype))


def expected(case: str, dtype: Any) -> tuple[Any, Any]:
    """The table's and the vector's Update after all steps, with `.var`."""
    table, vector, rows, slopes = problem(dtype)
    make = {**CASES, **CONTRIB}[case][2]
    sparse, dense = make(), make()
    sparse.start(table)
    dense.start(vector)
    for i in range(STEPS):
        sparse.sparse(table, rows[i], np.array(INDICES[i]))
        dense.step(vector, slopes[i])
    sparse.var, dense.var = table, vector
    return sparse, dense
