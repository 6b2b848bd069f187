"""`graphc tf1 script.py`: runs a program that says `import tensorflow as tf`, as it is, on graphc.

    command.py    the command line
    program.py    runs a script or notebook as `python script.py` would, with TensorFlow's names taken by graphc
    notebook.py   the code of a notebook
    repair.py     Python 2 to Python 3, while loading
    vanished.py   names that NumPy, SciPy and Matplotlib have lost
    symbols.py    the TensorFlow names that a program uses
    check.py      `graphc tf1 --check`: which of them are there
"""
