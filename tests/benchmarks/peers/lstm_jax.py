#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peer timing: one full-batch training iteration of the LSTM on Measure-Wait-Go in JAX, jitted, steps by lax.scan.

The equations are those of model.lstm; the sizes those of resources/experiments/mwg_lstm.json. The four gates are one product, the
input's share of all steps is computed before the scan. AdamW with elementwise clipping is written out, so only jax is needed.
Usage: lstm_jax.py [--scan UPDATES_PER_CALL] [--unroll N] [--threads 1|2] [--reps N]; prints the median seconds per iteration, the least, and the
processor time of an iteration, which other programs on the machine disturb less.
"""
import argparse
import os
import statistics
import time

p = argparse.ArgumentParser()
for name, default in (("units", 15), ("inputs", 3), ("outputs", 1), ("steps", 110), ("batch", 40), ("scan", 1),
                      ("unroll", 1), ("threads", 2), ("reps", 20)):
    p.add_argument("--" + name, type=int, default=default)
a = p.parse_args()
if a.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp

N, I, O, T, B = a.units, a.inputs, a.outputs, a.steps, a.batch
key = jax.random.split(jax.random.PRNGKey(0), 6)
normal = lambda i, *shape: jax.random.normal(key[i], shape)
P = dict(W=normal(0, 4 * N, I) / I**0.5, U=normal(1, 4 * N, N) / N**0.5, b=normal(2, 4 * N) / N**0.5,
         C=normal(3, O, N) / N**0.5)
u, target = normal(4, T, B, I), normal(5, T, B, O)


def loss(P):
    def step(state, drive):
        h, c = state
        i, f, g, o = jnp.split(drive + h @ P["U"].T, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = (0.1 * jnp.ones((B, N)), 0.1 * jnp.ones((B, N)))
    _, h = jax.lax.scan(step, start, u @ P["W"].T + P["b"], unroll=a.unroll)
    return jnp.mean((h @ P["C"].T - target) ** 2)


def update(state, _):
    P, m, v, k = state
    l, g = jax.value_and_grad(loss)(P)
    tree = jax.tree_util.tree_map
    g = tree(lambda x: jnp.clip(x, -1, 1), g)
    m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    k = k + 1
    step = lambda p, m, v: p - 1e-2 * (m / (1 - 0.9**k) / (jnp.sqrt(v / (1 - 0.999**k)) + 1e-8) + 1e-4 * p)
    return (tree(step, P, m, v), m, v, k), l


f = jax.jit(lambda s: jax.lax.scan(update, s, None, length=a.scan))
zeros = jax.tree_util.tree_map(jnp.zeros_like, P)
state, l = f((P, zeros, zeros, jnp.float32(0)))
jax.block_until_ready(l)
times, work = [], time.process_time()
for _ in range(a.reps):
    t = time.perf_counter()
    state, l = f(state)
    jax.block_until_ready(l)
    times.append((time.perf_counter() - t) / a.scan)
work = (time.process_time() - work) / a.reps / a.scan
print(f"jax {jax.__version__} lstm N={N} B={B} T={T} scan={a.scan} unroll={a.unroll} threads={a.threads} "
      f"s_per_iter={statistics.median(times):.6f} least={min(times):.6f} processor={work:.6f}")
