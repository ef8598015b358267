"""Special functions: SciPy's when they are evaluated, formulas made of operations when they are compiled

Formulas compute in double precision whatever the dtype, and round once, as SciPy's own loops do. Where a derivative
has no closed form (in the parameters of an incomplete gamma function, say) it is the derivative of the formula.
"""
