-- The departures that event time can hold: the others go to quarantine.
CREATE VIEW timely_departures AS
SELECT * FROM departures WHERE departed_at IS NOT NULL;
