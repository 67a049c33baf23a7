-- What the model sees. Add windows, joins and casts here.
CREATE VIEW ${model}_features AS
SELECT id, event_time, $names
FROM events;
