# SPDX-License-Identifier: GPL-3.0-or-later
"""Dense layers with ReLU and dropout between them, and Adam, in NumPy: what the witnesses of the
MLP and of the mixture share."""
import numpy as np


class Net:
    """@block holds W (inputs x units) and b of each layer in turn; the arithmetic is in its type."""

    def __init__(self, block, sizes):
        self.layers, at = [], 0
        for inputs, units in zip(sizes, sizes[1:]):
            self.layers.append([np.array(block[at:at + inputs * units].reshape(inputs, units)),
                                np.array(block[at + inputs * units:at + (inputs + 1) * units])])
            at += (inputs + 1) * units
        assert at == len(block), f"{len(block)} weights do not fill layers of {sizes}"
        self.moments = [[[np.zeros_like(a), np.zeros_like(a)] for a in layer] for layer in self.layers]
        self.steps = 0

    def forward(self, a, masks=None):
        """The input and the output of every layer."""
        kept = [a]
        for k, (weights, bias) in enumerate(self.layers):
            a = a @ weights + bias
            if k + 1 < len(self.layers):
                a = np.maximum(a, 0)
                if masks is not None:
                    a = a * masks[k]
            kept.append(a)
        return kept

    def step(self, kept, delta, masks, rate):
        """Back from @delta, the loss by the output, through what forward() kept; one step of Adam."""
        self.steps += 1
        gradients = []
        for k in reversed(range(len(self.layers))):
            gradients.insert(0, [kept[k].T @ delta, delta.sum(axis=0)])
            if k:
                delta = (delta @ self.layers[k][0].T) * (kept[k] > 0)
                if masks is not None:
                    delta = delta * masks[k - 1]
        for layer, moments, gradient in zip(self.layers, self.moments, gradients):
            for a, m, g in zip(layer, moments, gradient):
                m[0][...] = 0.9 * m[0] + 0.1 * g
                m[1][...] = 0.999 * m[1] + 0.001 * g * g
                a -= rate * (m[0] / (1 - 0.9 ** self.steps)) / (
                    np.sqrt(m[1] / (1 - 0.999 ** self.steps)) + 1e-8)
