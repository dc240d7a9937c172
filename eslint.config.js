import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const floors = (patterns, message) => ["error", { patterns: [{ group: patterns, message }] }];

export default tseslint.config(
  { ignores: ["dist", "dist-local", ".local", "node_modules", "bench/results", "coverage"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] } } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      complexity: ["error", 20],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-imports": floors(
        ["**/local/**"],
        "The app never imports the local stack: it stands in for services.",
      ),
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "Only settings.ts reads the environment (src/index.ts passes it in).",
        },
        { object: "Date", property: "now", message: "Take the clock from Deps, so that tests control time." },
      ],
      "no-console": "error",
    },
  },
  {
    files: [
      "src/shared/{ids,json,errors,catalogue,backoff,definition,options,message,settings}.ts",
      "src/shared/{job,machine,answers,transitions,times,step,outcome,compose,captured-log,redact}.ts",
      "src/shared/{policy,permitted,vault-references,image-name,pull-identity,security-settings,setting-readers}.ts",
      "src/shared/definition/**/*.ts",
    ],
    rules: {
      "no-restricted-imports": floors(
        ["@azure/*", "node:fs*", "node:http*", "node:net", "../http/**", "../workers/**", "**/local/**"],
        "The ground floor is pure: no I/O and no Azure SDK.",
      ),
    },
  },
  { files: ["src/index.ts"], rules: { "no-restricted-properties": "off" } },
  { files: ["**/*.{js,mjs}"], ...tseslint.configs.disableTypeChecked },
  prettier,
);
