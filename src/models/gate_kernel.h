/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two matrix products of a gate, included by gate_block.c once for each instruction set, which
 * defines NAME(x), TARGET, VEC, LANES, LOAD, STORE, BROADCAST, FMA (a b + c, rounded once), WIDE
 * (vectors of a tile), POSITIVE (max(0, s), NaN stays) and WHERE_POSITIVE (s where h > 0, else 0).
 * An element of a product is one chain of FMA in the order of its index: the width changes no bit.
 */

/* out (dr, LANES vn) = ending(bias + a w); a (dr, n), w (n, ...) with rows of ws. */
TARGET INLINE void NAME(product_tile)(const int dr, const int vn, const ending end, const double *a,
                                      size_t as, size_t n, const double *w, size_t ws,
                                      const double *bias, double *out)
{
    VEC s[8][WIDE], c[WIDE];
    for (int v = 0; v < vn; v++)
        for (int r = 0; r < dr; r++)
            s[r][v] = bias ? LOAD(bias + v * LANES) : BROADCAST(0.0);
    for (size_t i = 0; i < n; i++, w += ws) {
        for (int v = 0; v < vn; v++)
            c[v] = LOAD(w + v * LANES);
        for (int r = 0; r < dr; r++)
            for (int v = 0; v < vn; v++)
                s[r][v] = FMA(BROADCAST(a[(size_t)r * as + i]), c[v], s[r][v]);
    }
    for (int r = 0; r < dr; r++)
        for (int v = 0; v < vn; v++) {
            double *to = out + (size_t)r * ws + v * LANES;
            STORE(to, end == RELU        ? POSITIVE(s[r][v])
                      : end == RELU_BACK ? WHERE_POSITIVE(LOAD(to), s[r][v])
                                         : s[r][v]);
        }
}

/* out (rows, m) = ending(bias + a w); a (rows, n), w (n, m), bias (m) or NULL. Rows up to the next
 * multiple of eight are written too. A tile has eight sums or more, to hide the latency of FMA. */
TARGET INLINE void NAME(product)(const ending end, size_t rows, const double *a, size_t as,
                                 size_t n, const double *w, size_t m, const double *bias,
                                 double *out)
{
    size_t c = 0;
    for (; c + WIDE * LANES <= m; c += WIDE * LANES)
        for (size_t r = 0; r < rows; r += 4)
            NAME(product_tile)
    (4, WIDE, end, a + r * as, as, n, w + c, m, bias ? bias + c : NULL, out + r * m + c);
    for (; c < m; c += LANES)
        for (size_t r = 0; r < rows; r += 8)
            NAME(product_tile)
    (8, 1, end, a + r * as, as, n, w + c, m, bias ? bias + c : NULL, out + r * m + c);
}

/* g (dn, LANES vn) += a' d; a (rows, ...), d (rows, ...) with rows of m. */
TARGET INLINE void NAME(outer_tile)(const int dn, const int vn, size_t rows, const double *a,
                                    size_t as, const double *d, size_t m, double *g)
{
    VEC s[4][WIDE], c[WIDE];
    for (int i = 0; i < dn; i++)
        for (int v = 0; v < vn; v++)
            s[i][v] = LOAD(g + (size_t)i * m + v * LANES);
    for (size_t r = 0; r < rows; r++, a += as, d += m) {
        for (int v = 0; v < vn; v++)
            c[v] = LOAD(d + v * LANES);
        for (int i = 0; i < dn; i++)
            for (int v = 0; v < vn; v++)
                s[i][v] = FMA(BROADCAST(a[i]), c[v], s[i][v]);
    }
    for (int i = 0; i < dn; i++)
        for (int v = 0; v < vn; v++)
            STORE(g + (size_t)i * m + v * LANES, s[i][v]);
}

TARGET INLINE void NAME(outer_strip)(const int dn, size_t rows, const double *a, size_t as,
                                     const double *d, size_t m, double *g)
{
    size_t c = 0;
    for (; c + WIDE * LANES <= m; c += WIDE * LANES)
        NAME(outer_tile)(dn, WIDE, rows, a, as, d + c, m, g + c);
    for (; c + 2 * LANES <= m; c += 2 * LANES)
        NAME(outer_tile)(dn, 2, rows, a, as, d + c, m, g + c);
    for (; c < m; c += LANES)
        NAME(outer_tile)(dn, 1, rows, a, as, d + c, m, g + c);
}

/* g (n, m) += a' d over the rows; a (rows, n), d (rows, m). */
TARGET INLINE void NAME(outer)(size_t rows, const double *a, size_t as, size_t n, const double *d,
                               size_t m, double *g)
{
    size_t i = 0;
    for (; (n - i) % 4 && n - i >= 3; i += 3) /* 9 = 3 + 3 + 3, 13 = 3 + 3 + 3 + 4 */
        NAME(outer_strip)(3, rows, a + i, as, d, m, g + i * m);
    for (; i + 4 <= n; i += 4)
        NAME(outer_strip)(4, rows, a + i, as, d, m, g + i * m);
    for (; i < n; i++)
        NAME(outer_strip)(1, rows, a + i, as, d, m, g + i * m);
}

/* A block forward and, if asked, backward: lb_gate_kernel. */
TARGET static double NAME(block)(lb_gate_block *b, size_t rows, double scale, double *g)
{
    const size_t f = b->shape.features, k = b->shape.experts;
    const bool linear = b->shape.hidden == 0;
    const double *in = linear ? b->x : b->h;
    double yhat[ROWS], residual[ROWS], total = 0.0;

    /* Forward: h = max(0, x W1 + b1), z = h W2 + b2, yhat = softmax(z)' e. */
    if (!linear)
        NAME(product)(RELU, rows, b->x, b->fw, f, b->w, b->hw, b->w + b->b1, b->h);
    NAME(product)(PLAIN, rows, in, b->inner, b->in_n, b->w2t, b->zw, b->b2t, b->z);
    mix(b, yhat, residual);
    for (size_t r = 0; r < rows; r++)
        total += residual[r] * residual[r];
    if (!g)
        return total;

    /* Backward, each line the derivative of its partner above: dW2' += dz' h, db2 += sum dz,
     * dh = dz W2' where h > 0, dW1 += x' dh, db1 += sum dh. */
    mix_back(b, scale, yhat, residual);
    NAME(outer)(rows, b->dz, b->kw, k, in, b->inner, g + b->w2);
    column_sums(rows, b->dz, b->kw, g + b->b2);
    if (!linear) {
        NAME(product)(RELU_BACK, rows, b->dz, b->kw, k, b->w + b->w2, b->hw, NULL, b->h);
        NAME(outer)(rows, b->x, b->fw, f, b->h, b->hw, g);
        column_sums(rows, b->h, b->hw, g + b->b1);
    }
    return total;
}

#undef NAME
#undef TARGET
#undef VEC
#undef LANES
#undef LOAD
#undef STORE
#undef BROADCAST
#undef FMA
#undef WIDE
#undef POSITIVE
#undef WHERE_POSITIVE
