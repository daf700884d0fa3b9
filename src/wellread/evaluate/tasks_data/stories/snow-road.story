The road over the pass was closed on Wednesday after half a metre of snow fell in one night. Thirty drivers slept in the school of the village below.

The teachers gave them soup and blankets, and in the morning the pupils dug out their cars. The road was open again at noon.

One of the drivers, a musician, thanked the village with a concert in the gymnasium.

@highlight

Thirty drivers slept in a school after snow closed the pass

@highlight

A musician thanked the village with a concert
