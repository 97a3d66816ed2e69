"""How a submission is graded: it runs alone, hands over plain data, and is judged elsewhere.

`submission` says what is to run, `keeper` bounds the time and memory of it, `runner` runs the cells
and writes down what the learner's functions return (as `plain` data), `judge` compares that with the
solutions, in a process that never runs a line of the submission. `table` keeps the points.
"""
