A woman from Norfield has found her wedding ring inside a carrot. She had lost it eleven years ago while working in her garden.

Her husband pulled the carrot out of the ground on Sunday and noticed that it had grown through something. He nearly threw it to the rabbits.

A jeweller cleaned the ring and made it a little wider. The couple celebrated with a cake, a carrot cake.

@highlight

A wedding ring lost eleven years ago was found around a carrot
