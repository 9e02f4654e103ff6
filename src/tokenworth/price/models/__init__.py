"""One file a price model; each is a plain function of counts and rates, whose one source runs on ints and on columns.

context   long-context steps: the whole request at the rates of the step that its input reaches, or only what is above
package   counts billed in whole packages
minimum   the least that a request costs
"""
