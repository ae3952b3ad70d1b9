"""Fitting the equations' free numbers to published and real figures."""
