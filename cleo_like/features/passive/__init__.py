"""The membrane below threshold: all quiet sweeps fitted at once to the whole command.

`measure` is the door; `family` chooses sweeps and fits them (`joint`), the others read
resistances, times and sag off the fit, each with an error or a reason.
"""
