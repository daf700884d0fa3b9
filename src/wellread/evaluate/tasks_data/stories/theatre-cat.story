The theatre in King Street has a new employee with four legs. A grey cat walked onto the stage during the second act of a tragedy and sat down beside the dying king.

The audience laughed for several minutes. The actor who played the king could not finish his speech.

The cat now lives in the office and catches mice. During performances the door is locked.

@highlight

A cat walked onto the stage during a tragedy

@highlight

It now lives in the theatre and catches mice
