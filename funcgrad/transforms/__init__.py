"""One file, one transformation: its Trace, its Tracer, the flat core, the public function.

Promise: rules are reached through the operation object, never by importing a class.
"""
