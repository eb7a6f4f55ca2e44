"""Fixed inputs, and how a case is written down."""

import math

import numpy as np
import torch

DIGITS = 9


def wave(shape, a=1.3, b=0.7, scale=1.0, shift=0.0):
    """scale·sin(a·i + b·j + shift) with i the row and j the last index, rounded to 4 decimals.

    All leading axes count as rows, so that examples differ. Rounded numbers are written in full, so
    the expected values belong to exactly the inputs in the file.
    """
    shape = tuple(shape)
    rows = np.arange(int(np.prod(shape[:-1], dtype=int)))[:, None]
    columns = np.arange(shape[-1])[None, :]
    return decimal(scale * np.sin(a * rows + b * columns + shift).reshape(shape), 4)


def normal_like(shape, shift=0.0):
    """Normal quantiles of a Kronecker sequence: a sample that looks N(0, 1) without a generator."""
    steps = torch.sqrt(torch.tensor([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0],
                                    dtype=torch.double))[: shape[-1]]
    rows = torch.arange(1, math.prod(shape[:-1]) + 1, dtype=torch.double)
    u = (rows[:, None] * steps + 0.5 + shift) % 1.0
    return decimal(torch.special.ndtri(u).reshape(shape), 4)


def decimal(values, places):
    """float64 tensor rounded to so many decimals."""
    array = np.round(np.asarray(values, dtype=np.float64), places) + 0.0
    return torch.from_numpy(np.ascontiguousarray(array)).clone()


def double(values):
    return torch.tensor(values, dtype=torch.double)


def written(value):
    """{"shape", "data"} with 9 significant digits; integers stay integers."""
    tensor = torch.as_tensor(value).detach()
    numbers = tensor.reshape(-1).tolist()
    if tensor.is_floating_point():
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("a golden value is not finite")
        # What is zero up to rounding of the computation is written as zero.
        numbers = [0.0 if abs(number) < 1e-14 else float(f"{number:.{DIGITS}g}")
                   for number in numbers]
    else:
        numbers = [int(number) for number in numbers]
    return {"shape": list(tensor.shape), "data": numbers}


def with_gradient(function, value, *rest, of):
    """What function(value, *rest) returns, and the gradient of its scalar `of` by value."""
    leaf = value.clone().requires_grad_(True)
    out = function(leaf, *rest)
    return out | {"gradient": torch.autograd.grad(out[of], leaf)[0]}


def case(name, function, inputs, expected, options=None):
    """One entry. Formula and source are the lines `Formula:` and `Source:` of the docstring."""
    return {"name": name,
            "source": _field(function, "Source"),
            "formula": _field(function, "Formula"),
            "inputs": {key: written(value) for key, value in inputs.items()},
            "options": options or {},
            "expected": {key: written(value) for key, value in expected.items()}}


def _field(function, name):
    """The paragraph of the docstring that starts with `name: `."""
    for paragraph in (function.__doc__ or "").split("\n\n"):
        text = " ".join(paragraph.split())
        if text.startswith(name + ": "):
            return text[len(name) + 2:]
    raise ValueError(f"{function.__name__} states no {name}")
