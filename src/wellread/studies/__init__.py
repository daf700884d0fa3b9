"""How scores change over a family of runs that differ in named settings (paper, Figures 1 to 4)."""
