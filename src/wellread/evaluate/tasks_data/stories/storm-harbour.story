A storm damaged eleven boats in the harbour of Port Mary on Saturday night. Nobody was hurt.

Waves of five metres broke over the outer wall and tore several boats from their ropes. One of them, a fishing boat of twenty metres, drifted across the harbour and sank beside the ferry terminal.

The ferry to the islands was cancelled for two days while divers cleared the channel.

@highlight

Eleven boats were damaged by a storm in Port Mary

@highlight

The ferry to the islands was cancelled for two days
