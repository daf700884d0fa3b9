The bakery in Mill Lane has closed its second shop because nobody wanted to buy there. The bread was the same, and it was cheaper.

Customers said that they enjoyed the queue in front of the first shop, where they met their neighbours. In the second shop there was never anyone.

The owner has turned it into a room with tables, where people who have bought bread can sit. It is full every morning.

@highlight

A bakery closed its second shop because customers liked the queue at the first
