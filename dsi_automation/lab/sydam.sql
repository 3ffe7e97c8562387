-- A schema in the manner of SYDAM, the customs' clearance system; every row is invented, and the same in each lab.
-- Every number comes from the row's own, by remainders of primes: no random(), so that two labs answer alike.

CREATE TABLE bureaux (
    code text PRIMARY KEY,
    libelle text NOT NULL,
    ville text NOT NULL
);
COMMENT ON TABLE bureaux IS 'Bureaux de douane';

CREATE TABLE operateurs (
    compte_contribuable text PRIMARY KEY,
    raison_sociale text NOT NULL,
    nature text NOT NULL CHECK (nature IN ('importateur', 'exportateur', 'commissionnaire'))
);

CREATE TABLE manifestes (
    numero bigint PRIMARY KEY,
    bureau text NOT NULL REFERENCES bureaux,
    moyen_transport text NOT NULL,
    date_arrivee timestamptz NOT NULL
);

CREATE TABLE declarations (
    numero bigint PRIMARY KEY,
    bureau text NOT NULL REFERENCES bureaux,
    regime text NOT NULL CHECK (regime IN ('IM4', 'IM5', 'IM7', 'EX1', 'EX3', 'TR8')),
    declarant text NOT NULL REFERENCES operateurs,
    manifeste bigint REFERENCES manifestes,
    circuit text NOT NULL CHECK (circuit IN ('vert', 'jaune', 'rouge', 'bleu')),
    etat text NOT NULL,
    enregistree_le timestamptz NOT NULL
);
COMMENT ON COLUMN declarations.circuit IS 'Circuit de visite fixé par l’analyse de risque';

CREATE TABLE articles (
    declaration bigint NOT NULL REFERENCES declarations,
    rang smallint NOT NULL,
    position_tarifaire text NOT NULL,
    designation text NOT NULL,
    origine char(2) NOT NULL,
    poids_net_kg numeric(12, 2) NOT NULL CHECK (poids_net_kg >= 0),
    valeur_caf numeric(16, 0) NOT NULL CHECK (valeur_caf >= 0),
    PRIMARY KEY (declaration, rang)
);

CREATE TABLE taxes (
    declaration bigint NOT NULL,
    rang smallint NOT NULL,
    code text NOT NULL,
    taux numeric(5, 2) NOT NULL,
    montant numeric(16, 0) NOT NULL,
    PRIMARY KEY (declaration, rang, code)
);
COMMENT ON TABLE taxes IS 'Liquidation : DD droit de douane, RST redevance statistique, PCS, PCC, TVA';

CREATE TABLE journal (
    id bigint GENERATED ALWAYS AS IDENTITY,
    moment timestamptz NOT NULL,
    agent text NOT NULL,
    declaration bigint,
    evenement text NOT NULL
);

INSERT INTO bureaux VALUES
    ('CIAB1', 'Abidjan-Port', 'Abidjan'), ('CIAB3', 'Guichet unique automobile', 'Abidjan'),
    ('CIAB5', 'Aéroport Félix Houphouët-Boigny', 'Abidjan'), ('CISP1', 'San-Pédro-Port', 'San-Pédro'),
    ('CIBK1', 'Bouaké', 'Bouaké'), ('CINO1', 'Noé', 'Aboisso'), ('CIPO1', 'Pôgô', 'Tengréla'),
    ('CIOU1', 'Ouangolodougou', 'Ferkessédougou');

INSERT INTO operateurs
SELECT format('%s%s', lpad((i * 7919 % 9999991)::text, 7, '0'), chr(65 + i % 26)),
    format('%s %s', (ARRAY['Société ivoirienne', 'Comptoir', 'Établissements', 'Transit', 'Négoce'])[1 + i % 5], i),
    (ARRAY['importateur', 'exportateur', 'commissionnaire'])[1 + i % 3]
FROM generate_series(1, 600) AS i;

INSERT INTO manifestes
SELECT i, (ARRAY['CIAB1', 'CIAB5', 'CISP1', 'CIBK1'])[1 + i % 4],
    (ARRAY['navire', 'avion', 'camion', 'train'])[1 + i % 4],
    now() - make_interval(mins => (4000 - i) * 45)
FROM generate_series(1, 4000) AS i;

-- How rows are added, at the start and by `dsi lab database grow`.
CREATE FUNCTION ajouter_declarations(combien integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    premiere bigint := coalesce((SELECT max(numero) FROM declarations), 0) + 1;
    comptes text[] := (SELECT array_agg(compte_contribuable ORDER BY compte_contribuable) FROM operateurs);
BEGIN
    INSERT INTO declarations
    SELECT i, (ARRAY['CIAB1', 'CIAB3', 'CIAB5', 'CISP1', 'CIBK1', 'CINO1', 'CIPO1', 'CIOU1'])[1 + i * 31 % 8],
        (ARRAY['IM4', 'IM5', 'IM7', 'EX1', 'EX3', 'TR8'])[1 + i * 17 % 6],
        comptes[1 + i * 131 % 600], 1 + i * 37 % 4000,
        (ARRAY['vert', 'jaune', 'rouge', 'bleu'])[1 + i * 13 % 4],
        (ARRAY['enregistrée', 'liquidée', 'payée', 'bon à enlever'])[1 + i * 7 % 4],
        now() - make_interval(mins => ((premiere + combien - 1 - i) * 6)::integer)
    FROM generate_series(premiere, premiere + combien - 1) AS i;

    INSERT INTO articles
    SELECT i, rang, lpad((i * 104729 + rang * 7919)::text, 10, '0'),
        (ARRAY['Café vert', 'Cacao en fèves', 'Véhicule d’occasion', 'Riz brisé', 'Tissus imprimés', 'Médicaments',
            'Ciment', 'Poisson congelé'])[1 + (i + rang) * 11 % 8],
        (ARRAY['FR', 'CN', 'NG', 'IN', 'TH', 'MA', 'BE', 'GH'])[1 + (i + rang) * 5 % 8],
        (i * 7907 % 1000000) / 100.0, 1000 * (i * 6967 % 90000)
    FROM generate_series(premiere, premiere + combien - 1) AS i, generate_series(1, 2 + (i % 3)::integer) AS rang;

    INSERT INTO taxes
    SELECT a.declaration, a.rang, t.code, t.taux, round(a.valeur_caf * t.taux / 100)
    FROM articles AS a, (VALUES ('DD', 20.0), ('TVA', 18.0)) AS t (code, taux)
    WHERE a.declaration >= premiere;

    INSERT INTO journal (moment, agent, declaration, evenement)
    SELECT enregistree_le, format('agent%s', numero % 40), numero, 'enregistrement' FROM declarations
    WHERE numero >= premiere;
    RETURN (SELECT count(*) FROM declarations);
END $$;

SELECT ajouter_declarations(:declarations);

CREATE INDEX articles_position ON articles (position_tarifaire);
CREATE INDEX declarations_date ON declarations (enregistree_le);
CREATE INDEX journal_moment ON journal (moment);
ANALYZE;
