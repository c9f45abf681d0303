-- title: VPN into the network set up
-- kind: match
-- severity: medium
-- attack: [T1133]
-- pci: ["1.2.5", "1.4.1", "8.4.3"]
-- why: A VPN lets machines outside become part of the network, past every rule for public addresses. Set up by an
--   intruder it is a way back in that survives new passwords.
-- response: Ask the network team whose gateway or certificate it is. If nobody knows, delete the connection or endpoint
--   and look in the flow records for addresses from its range.
-- false_positives: a planned link to an office; the network team extending a client VPN
-- blind_spots: who connects afterwards, which only the VPN's own connection log says; VPN software on an instance
SELECT *
FROM cloudtrail_events
WHERE event_source = 'ec2.amazonaws.com'
  AND event_name IN ('CreateCustomerGateway', 'CreateVpnConnection', 'CreateClientVpnEndpoint',
                     'AuthorizeClientVpnIngress', 'ModifyVpnConnection')
