"""Pictures of graphs, plans and sessions as HTML and SVG of our own: what notebooks show, and `graphc inspect --html`.

nodes.py: what is drawn, without a Graph -> levels.py: scopes folded, a level of boxes each -> layout.py: where the
boxes stand -> svg.py. notebook.py, page.py: what is made of it. Nothing here is imported before something is shown.
"""
