Pupils at Hill Street School now grow their own lunch. Where there used to be a car park, there are forty beds with beans, carrots and salad.

The idea came from the cook, who was tired of vegetables that had travelled for a thousand miles. Every class looks after three beds, also in the holidays.

In September the kitchen used nothing else for a whole week. The pupils ate more salad than in the whole year before.

@highlight

Pupils grow vegetables where there used to be a car park

@highlight

In September the kitchen cooked with them for a week
