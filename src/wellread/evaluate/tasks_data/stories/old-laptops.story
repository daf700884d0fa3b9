A group of pensioners repairs old laptops and gives them to families who have none. Since January they have given away three hundred.

Most of the machines come from offices and are about six years old. The group replaces the disk, installs a free system and explains it for an hour.

They are looking for batteries, for chargers and for anybody under sixty.

@highlight

Pensioners have given three hundred repaired laptops to families

@highlight

They need batteries, chargers and younger helpers
