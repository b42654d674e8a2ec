# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates trained on the regression loss, again in NumPy and, with --full, in PyTorch.

Same weights at the start, same batches, same rule of stopping: the loss curves agree to 1e-6.
"""
import time

from witness import PACKAGES, Witness, np

w = Witness("gate")
N, HIDDEN, EPOCHS, PATIENCE, MAX_EPOCHS, RATE = (int(v) for v in w["sizes"])
RATE *= 1e-6
CASES = {"mlp64": (HIDDEN, 64), "mlp256": (HIDDEN, 256), "linear64": (0, 64), "linear256": (0, 256)}
x, e, y = w["x"], w["experts"], w["y"]
F, K = x.shape[1], e.shape[1]
orders = w["orders"].reshape(MAX_EPOCHS, N)


def scaled(x):
    return (x - x[:N].mean(0)) / x[:N].std(0)


def parts(flat, hidden):
    """W1, b1, W2, b2 from the one block."""
    inner = hidden or F
    ends = np.cumsum([F * hidden, hidden, inner * K, K])
    w1, b1, w2, b2 = np.split(flat, ends[:-1])
    return [w1.reshape(F, hidden), b1, w2.reshape(inner, K), b2]


def forward(net, a):
    w1, b1, w2, b2 = net
    h = np.maximum(a @ w1 + b1, 0) if b1.size else a
    z = h @ w2 + b2
    p = np.exp(z - z.max(1, keepdims=True))
    return h, p / p.sum(1, keepdims=True)


def gradient(net, a, ek, yi):
    """The loss of a batch and its derivatives."""
    h, p = forward(net, a)
    yhat = (p * ek).sum(1)
    r = yhat - yi
    dz = (2 / len(yi) * r)[:, None] * p * (ek - yhat[:, None])
    if not net[1].size:
        return r @ r, [net[0], net[1], h.T @ dz, dz.sum(0)]
    dh = dz @ net[2].T * (h > 0)
    return r @ r, [a.T @ dh, dh.sum(0), h.T @ dz, dz.sum(0)]


def stop(curve):
    """(finished, best epoch, patience spent), epochs counted from 1."""
    best, n = int(np.argmin(curve)) + 1, len(curve)
    spent = n - best >= PATIENCE
    return spent or n >= MAX_EPOCHS or (n == EPOCHS and best < n), best, spent


def numpy_train(hidden, batch, start):
    """Adam on one flat block, as a physicist would write it. As in the library the clock runs while
    features are scaled and the order of every epoch is drawn; the order used is the library's."""
    s = scaled(x)
    rng = np.random.default_rng(42)
    flat = start.copy()
    m, v, t = np.zeros_like(flat), np.zeros_like(flat), 0
    train, held, best = [], [], None
    done = False
    while not done:
        total = 0.0
        rng.permutation(N)
        order = orders[len(train)]
        for first in range(0, N, batch):
            i = order[first:first + batch]
            net = parts(flat, hidden)
            loss, g = gradient(net, s[i], e[i], y[i])
            total += loss
            g = np.concatenate([part.ravel() for part in g])
            t += 1
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            flat = flat - RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        train.append(total / N)
        p = forward(parts(flat, hidden), s[N:])[1]
        held.append(np.mean(((p * e[N:]).sum(1) - y[N:]) ** 2))
        done, at, spent = stop(held)
        if at == len(held):
            best = flat
    return train, held, best, [len(held), at, spent, at < len(held)]


def torch_train(torch, hidden, batch, start, dtype):
    """The same with nn.Linear, autograd and torch.optim.Adam, for EPOCHS epochs."""
    nn = torch.nn
    shape = [F, hidden, K] if hidden else [F, K]
    net = nn.Sequential(*[layer for a, b in zip(shape, shape[1:])
                          for layer in (nn.Linear(a, b), nn.ReLU())][:-1]).to(dtype)
    given = [p for p in parts(start, hidden) if p.size]
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), given):
            parameter.copy_(torch.from_numpy(value.T.copy()))
    ts, te, ty = (torch.from_numpy(a).to(dtype) for a in (scaled(x), e, y))
    to = torch.from_numpy(orders.astype(np.int64))
    adam = torch.optim.Adam(net.parameters(), lr=RATE)
    train, held = [], []
    since = time.perf_counter()
    for epoch in range(EPOCHS):
        total = 0.0
        for i in to[epoch].split(batch):
            adam.zero_grad(set_to_none=True)
            loss = (((net(ts[i]).softmax(1) * te[i]).sum(1) - ty[i]) ** 2).mean()
            loss.backward()
            adam.step()
            total += loss.item() * len(i)
        train.append(total / N)
        with torch.no_grad():
            held.append((((net(ts[N:]).softmax(1) * te[N:]).sum(1) - ty[N:]) ** 2).mean().item())
    return time.perf_counter() - since, train, held


for name, (hidden, batch) in CASES.items():
    for again in range(5 if w.full else 1):
        with w.timed(name):
            train, held, best, facts = numpy_train(hidden, batch, w[name + "_start"])
    w.close(f"{name}, training loss", w[name + "_train"], train, rtol=1e-6)
    w.close(f"{name}, validation loss", w[name + "_validation"], held, rtol=1e-6)
    w.close(f"{name}, weights of the best epoch", w[name + "_end"], best, rtol=1e-6)
    w.equal(f"{name}, epochs, best, patience, convergence", w[name + "_facts"], facts)
    w.faster(name, 0.15)

if w.full:
    try:
        import torch
    except ImportError:
        torch = None
        print(f"  gate: PyTorch was not compared; apt-get install {PACKAGES['torch']}")
    for name, (hidden, batch) in CASES.items() if torch else ():
        for kind in ("float64", "float32"):
            task = f"{name}, PyTorch {kind}"
            runs = [torch_train(torch, hidden, batch, w[name + "_start"], getattr(torch, kind))
                    for again in range(2)]
            w.ours[task], w.seconds[task] = w.ours[name], min(run[0] for run in runs)
            if kind == "float64":
                for which, curve in zip(("train", "validation"), runs[0][1:]):
                    w.close(f"{name}, PyTorch's {which} loss", w[f"{name}_{which}"], curve, rtol=1e-6)
            w.faster(task, 1.0)
w.end()
