"""Closed forms about random networks. This package is independent of runs.

activations   each activation, its derivative, its kinks
gaussian      means over normal variables, by quadrature split at the kinks of activations
meanfield     wide networks: variance and correlation maps, chi1, fixed points, depth scales, the
              order-chaos line, gains
lengths       one layer of finite width: the exact distribution of lengths
spectra       singular values: Marchenko-Pastur, Jacobians, Haar matrices
growth        residual networks
dynamics      learning in deep linear networks, the fixed point of sine networks
elementary    the logarithm
forms         all of these by name, for the claims of a config; every module in this folder is imported
"""
