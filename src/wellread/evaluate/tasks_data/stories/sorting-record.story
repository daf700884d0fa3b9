A student has written a program that sorts a billion numbers in under two seconds on an ordinary computer. The best result so far was three.

The program does not compare the numbers. It counts how often each leading digit occurs and then moves every number once to its place, using all cores at the same time.

The source is public, and others have confirmed the result on their own machines.

@highlight

A program sorts a billion numbers in under two seconds

@highlight

It counts digits and does not compare numbers
