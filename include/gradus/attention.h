/**
 * Attention maps: which parts of a face its level comes from.
 *
 * Behind its last convolutions the network has P x Q cells, Z of them, with C
 * channels A each (torchvision's layer4, behind shortcut and ReLU); from there
 *
 *   f_c = 1/Z sum_ij A_ijc     h = relu(W0 f + b0)     z = W2 h + b2
 *
 * and the loss's head reads the level E off z.  With g_c = dE/df_c the map is
 *
 *   m_ij = 1/Z sum_c g_c A_ijc     levels; > 0 where a cell raises E
 *
 * What it is to others:
 *
 *   Grad-CAM   a_c = 1/Z sum_ij dE/dA_ijc = g_c / Z, as f is a mean, and
 *              relu(sum_c a_c A_c) = relu(m).  What lowers E, their
 *              counterfactual, is relu(-m).
 *   CAM        With one dense layer behind the mean, z_k = sum_c w_kc f_c +
 *              bias, the map of output k is sum_c w_kc A_c.  Where E is an
 *              output (the losses without a distribution), that map is Z m,
 *              with the hidden units that are on and fc.2 as the one layer.  It
 *              is exact: E is a constant of those units plus the sum of m.
 *              Elsewhere the sum of m is the part of E linear in the cells.
 *
 * Source: Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, "Grad-CAM: Visual
 * Explanations from Deep Networks via Gradient-based Localization" (ICCV 2017),
 * equations 1 and 2, section 3.3; Zhou, Khosla, Lapedriza, Oliva, Torralba,
 * "Learning Deep Features for Discriminative Localization" (CVPR 2016),
 * equations 1 and 2.
 */
#ifndef GRADUS_ATTENTION_H
#define GRADUS_ATTENTION_H

/**
 * Take a gradient from behind a dense layer to the front of it.
 * @param[in]  K, C     outputs and inputs
 * @param[in]  weights  (K, C)
 * @param[in]  dy       (K)
 * @param[in]  x        (C) its inputs where they come out of a ReLU, which was
 *                      at rest where they are 0; NULL: they do not
 * @param[out] dx       (C); not dy
 */
void gd_attention_back(int K, int C, const float *weights, const double *dy,
                       const float *x, double *dx);

/**
 * Compute the map of one image.
 * @param[in]  n_cells  P Q
 * @param[in]  cells    (P, Q, C) A
 * @param[in]  g        (C) dE/df, levels
 * @param[out] map      (P, Q) m, levels
 */
void gd_attention_map(int n_cells, int C, const float *cells, const double *g,
                      float *map);

#endif
