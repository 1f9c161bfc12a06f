package mailbox

// Hash is the hash that chooses a sender's shard.
var Hash = hash
