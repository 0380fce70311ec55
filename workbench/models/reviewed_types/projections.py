"""Fewer columns from many: components, projections, partial least squares."""

from workbench.models.reviewed_types.family import Family, named

PROJECTIONS = Family(
    "components and projections",
    reason="They are matrices by which NumPy multiplies the row, or factors that are solved for it.",
    estimators=named("sklearn.cross_decomposition._pls", "CCA PLSCanonical PLSRegression PLSSVD")
    + named(
        "sklearn.decomposition",
        "_dict_learning.DictionaryLearning _dict_learning.MiniBatchDictionaryLearning _dict_learning.SparseCoder "
        "_factor_analysis.FactorAnalysis _fastica.FastICA _incremental_pca.IncrementalPCA _kernel_pca.KernelPCA "
        "_lda.LatentDirichletAllocation _nmf.MiniBatchNMF _nmf.NMF _pca.PCA _sparse_pca.MiniBatchSparsePCA "
        "_sparse_pca.SparsePCA _truncated_svd.TruncatedSVD",
    )
    + named("sklearn.manifold", "_isomap.Isomap _locally_linear.LocallyLinearEmbedding")
    + named("sklearn.random_projection", "GaussianRandomProjection SparseRandomProjection")
    + ("sklearn.cluster._agglomerative.FeatureAgglomeration",),
)
