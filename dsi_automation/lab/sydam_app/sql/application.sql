-- What the application itself works with: accounts, the message it shows, tariff, selectivity, and which scripts ran.
-- Every row is invented; the accounts follow in accounts.sql, which the lab writes since their passwords are its own.

CREATE TABLE utilisateurs (
    login text PRIMARY KEY CHECK (login ~ '^[a-z][a-z0-9.-]*$'),
    nom text NOT NULL,
    profil text NOT NULL,
    bureau text NOT NULL,
    actif boolean NOT NULL DEFAULT true,
    mot_de_passe text NOT NULL,
    doit_changer boolean NOT NULL DEFAULT true,
    cree_le timestamptz NOT NULL DEFAULT now(),
    modifie_le timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN utilisateurs.mot_de_passe IS 'pbkdf2-sha256$ITERATIONS$SEL$CONDENSÉ, sel et condensé en Base64';

CREATE TABLE avis (
    id integer PRIMARY KEY,
    texte text NOT NULL,
    jusqua timestamptz,
    publie_le timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE avis IS 'Message affiché en tête de chaque page';

CREATE TABLE tarif (
    position text PRIMARY KEY CHECK (position ~ '^[0-9]{10}$'),
    designation text NOT NULL,
    unite text NOT NULL,
    dd numeric(5, 2) NOT NULL CHECK (dd BETWEEN 0 AND 35),
    rst numeric(5, 2) NOT NULL,
    tva numeric(5, 2) NOT NULL,
    effet date NOT NULL
);
COMMENT ON TABLE tarif IS 'DD droit de douane, RST redevance statistique, TVA, en pour cent';

CREATE TABLE selectivite (
    code text PRIMARY KEY CHECK (code ~ '^SEL[0-9]{3}$'),
    libelle text NOT NULL,
    critere text NOT NULL CHECK (critere IN ('origine', 'position', 'declarant', 'bureau', 'valeur')),
    valeur text NOT NULL,
    circuit text NOT NULL CHECK (circuit IN ('vert', 'jaune', 'rouge', 'bleu')),
    priorite integer NOT NULL CHECK (priorite BETWEEN 1 AND 99),
    active boolean NOT NULL
);

CREATE TABLE versions_schema (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    release text NOT NULL,
    file text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    run text NOT NULL
);
COMMENT ON TABLE versions_schema IS 'Scripts de versions exécutés ; une ligne retirée quand le script est défait';

-- 300 positions: chapter, heading and number by remainders, rates of the common external tariff of ECOWAS.
INSERT INTO tarif
SELECT lpad((1 + i * 3 % 97)::text, 2, '0') || lpad((1 + i * 7 % 30)::text, 2, '0') || lpad((i * 10)::text, 6, '0'),
    format('%s, n° %s', (ARRAY['Café vert', 'Cacao en fèves', 'Véhicules d’occasion', 'Riz brisé', 'Tissus imprimés',
        'Médicaments', 'Ciment', 'Poisson congelé', 'Huile de palme', 'Pièces détachées'])[1 + i % 10], i),
    (ARRAY['kg', 'u', 't', 'm2'])[1 + i % 4],
    (ARRAY[0, 5, 10, 20, 35])[1 + i * 7 % 5], 1.00, (ARRAY[18, 9, 0])[1 + i % 3], DATE '2026-01-01'
FROM generate_series(1, 300) AS i;

INSERT INTO selectivite
SELECT format('SEL%s', lpad(i::text, 3, '0')), format('Règle de ciblage n° %s', i), critere,
    CASE critere
        WHEN 'origine' THEN (ARRAY['CN', 'NG', 'AE', 'TR', 'IN'])[1 + i % 5]
        WHEN 'position' THEN lpad((i * 13 % 97)::text, 2, '0')
        WHEN 'declarant' THEN lpad((i * 7919 % 9999991)::text, 7, '0') || chr(65 + i % 26)
        WHEN 'bureau' THEN (ARRAY['CIAB1', 'CIAB3', 'CIAB5', 'CISP1'])[1 + i % 4]
        ELSE (i * 1000000)::text
    END,
    (ARRAY['jaune', 'rouge', 'bleu', 'vert'])[1 + i * 3 % 4], 1 + i * 11 % 99, i % 7 <> 0
FROM generate_series(1, 50) AS i,
    LATERAL (SELECT (ARRAY['origine', 'position', 'declarant', 'bureau', 'valeur'])[1 + i % 5]) AS c (critere);

-- Scripts of releases alter tables, and only an owner may: both roles are members of the one that owns them.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO sydam_tables', name);
    END LOOP;
END $$;
GRANT USAGE, CREATE ON SCHEMA public TO sydam_tables;
ALTER DEFAULT PRIVILEGES FOR ROLE dsi_sydam IN SCHEMA public GRANT ALL ON TABLES TO sydam_tables;
ALTER DEFAULT PRIVILEGES FOR ROLE dsi_sydam IN SCHEMA public GRANT ALL ON SEQUENCES TO sydam_tables;
