"""A world that fails in every way AWS can, around the real functions: one seed gives one history, to the byte."""
