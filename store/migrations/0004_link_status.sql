-- The links that Clink has spoken of, by what it said: to count them, and to add up those that are paid.
CREATE INDEX standing_link_status ON standing (link_status) WHERE link_status <> '';
