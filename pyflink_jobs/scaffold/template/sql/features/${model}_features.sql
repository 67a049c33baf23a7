-- The model's features. Add windows, joins and casts here.
CREATE VIEW ${model}_features AS
SELECT $id, $event_time, $event_partition, $event_offset, $names
FROM events;
