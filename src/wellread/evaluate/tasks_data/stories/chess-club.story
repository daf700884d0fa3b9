The chess club of Eastham has a champion who is nine years old. On Friday she beat the president of the club in thirty moves.

She learned the game from her grandmother during a long stay in hospital. Since then she has played every day, often against three people at once.

The president said that he had made only one mistake. The champion said that it was the first move.

@highlight

A nine-year-old won the championship of the Eastham chess club

@highlight

She learned the game from her grandmother
