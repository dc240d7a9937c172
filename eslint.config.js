import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const forbidden = (patterns, message) => ["error", { patterns: [{ group: patterns, message }] }];

export default tseslint.config(
  { ignores: ["dist", "dist-local", "dist-client", ".local", "node_modules", "bench/results", "coverage"] },
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
    files: ["src/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-imports": forbidden(
        ["**/local/**"],
        "The app never imports the local stack: it stands in for services.",
      ),
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "Only config/settings.ts reads the environment (src/index.ts passes it in).",
        },
        { object: "Date", property: "now", message: "Take the clock from Deps, so that tests control time." },
      ],
      "no-console": "error",
    },
  },
  {
    files: ["src/shared/{base,config,definition,job}/**/*.ts"],
    rules: {
      "no-restricted-imports": forbidden(
        ["@azure/*", "node:fs*", "node:http*", "node:net", "**/local/**"],
        "These modules are pure: no I/O and no Azure SDK.",
      ),
    },
  },
  {
    files: ["test/**"],
    ignores: ["test/kit/fake-timers.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "vi", property: "useFakeTimers", message: "Take fakeTimers of test/kit, which spares HTTP clients." },
      ],
    },
  },
  // The page has the browser's clock.
  { files: ["src/dashboard/**"], rules: { "no-restricted-properties": "off" } },
  { files: ["src/index.ts"], rules: { "no-restricted-properties": "off" } },
  { files: ["**/*.{js,mjs}"], ...tseslint.configs.disableTypeChecked },
  prettier,
);
