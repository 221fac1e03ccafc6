"""One file a noun: what its pages show. `assay.dashboard.registry` lists them."""
