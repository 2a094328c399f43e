#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peer timing: one full-batch training iteration of the LSTM on Measure-Wait-Go in PyTorch.

The equations are those of model.lstm; the sizes those of resources/experiments/mwg_lstm.json.
Usage: lstm_torch.py [--form steps|compile|library] [--threads 1|2] [--reps N]
  steps     the cell written out, step by step       compile   the same through torch.compile, steps unrolled
  library   torch.nn.LSTM, PyTorch's own fused layer
Prints the median seconds per iteration (forward, backward, elementwise clipping, AdamW), the least, and the processor time of an
iteration, which other programs on the machine disturb less.
"""
import argparse
import statistics
import time

import torch

p = argparse.ArgumentParser()
p.add_argument("--form", choices=("steps", "compile", "library"), default="steps")
for name, default in (("units", 15), ("inputs", 3), ("outputs", 1), ("steps", 110), ("batch", 40), ("threads", 2),
                      ("reps", 20)):
    p.add_argument("--" + name, type=int, default=default)
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
N, I, O, T, B = a.units, a.inputs, a.outputs, a.steps, a.batch
parameter = lambda spread, *shape: torch.nn.Parameter(spread * torch.randn(*shape))
C = parameter(N**-0.5, O, N)
u, target, start = torch.randn(T, B, I), torch.randn(T, B, O), torch.full((B, N), 0.1)
if a.form == "library":
    layer = torch.nn.LSTM(I, N)
    params = [*layer.parameters(), C]
else:
    W, U, b = parameter(I**-0.5, 4 * N, I), parameter(N**-0.5, 4 * N, N), parameter(N**-0.5, 4 * N)
    params = [W, U, b, C]


def forward(u):
    if a.form == "library":
        return layer(u, (start[None], start[None]))[0] @ C.T
    drive, h, c, all = u @ W.T + b, start, start, []
    for t in range(T):
        i, f, g, o = (drive[t] + h @ U.T).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        all.append(h)
    return torch.stack(all) @ C.T


run = torch.compile(lambda u, target: (forward(u) - target).pow(2).mean()) if a.form == "compile" else \
    lambda u, target: (forward(u) - target).pow(2).mean()
optimiser = torch.optim.AdamW(params, lr=1e-2, weight_decay=1e-4)
times = []
for k in range(a.reps + 3):
    if k == 3:
        work = time.process_time()
    begin = time.perf_counter()
    loss = run(u, target)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(params, 1.0)
    optimiser.step()
    if k >= 3:
        times.append(time.perf_counter() - begin)
work = (time.process_time() - work) / a.reps
print(f"torch {torch.__version__} lstm N={N} B={B} T={T} form={a.form} threads={a.threads} "
      f"s_per_iter={statistics.median(times):.6f} least={min(times):.6f} processor={work:.6f}")
