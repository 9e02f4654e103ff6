"""What is asked for usage: dated rate cards, compiled, and one kernel that rates.

card       dated rates by product, tier and unit; compile proves that no charge overflows
kernel     the fold, whose one source runs on an int and on a column
rate       one event -> an explained charge; one frame -> an expression
worst      the dearest usage within bounds, priced by the same kernel: what a hold must hold
"""
