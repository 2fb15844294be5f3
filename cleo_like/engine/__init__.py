"""Brian2 equations at the speed of C: state updaters, compiled time loops, a stepper.

`device.register` names the device for ordinary scripts, `stepping.Stepper` advances a group
from Python, `updaters.choose` says which integrator suits; `patch.record` uses all of it.
"""
