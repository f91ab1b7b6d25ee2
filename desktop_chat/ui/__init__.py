"""The window. The only layer that imports Qt and qasync."""

import gc

# The default collects cycles every 700 or 2,000 new objects: a tenth of the time to the first picture, and pauses
# while an answer streams. What the window allocates is mostly freed by its reference counts.
gc.set_threshold(50_000, 20, 50)
