"""The op matrix: every op, by its samples, in every place where a program may hold it.

  cells.py        what varies (the factors), and one choice of each: a cell
  pairwise.py     few cells that hold every pair of choices
  subjects.py     the arrays of a cell: a sample's, those of other dtypes, with sizes 0 and 1, other ones each run
  neighbours.py   what stands in front of the op and behind it
  contexts.py     loops and branches around it
  programs.py     a cell as part of a graph, with its feeds and the expected results
  oracle.py       the expected results: op.reference in NumPy, finite differences in float64
  machines.py     where programs run: Sessions, the C++ runner
  check.py        runs cells, many in one graph, and says which ones fail
  updates.py      the same for ops that write variables
  excluded.py     which ops are left out, and why

No file knows an op by name but excluded.py.
"""
